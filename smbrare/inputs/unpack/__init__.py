"""What lies around an input's records: compression, archives and encodings of text."""
