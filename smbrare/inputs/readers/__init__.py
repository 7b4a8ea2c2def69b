"""Readers: bytes to records, a file a format."""
