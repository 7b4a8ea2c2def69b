"""What reference data says about a destination: networks, lists, names."""
