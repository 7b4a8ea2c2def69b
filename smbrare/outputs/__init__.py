"""Outputs: a report to text, a file a format."""
