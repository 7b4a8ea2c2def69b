"""The rule, written for other tools."""
