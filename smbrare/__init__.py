"""smbrare finds rare SMB connections to the internet in exported Windows network events."""

__version__ = "0.1.0"
