"""Fuzz targets: what must hold for any bytes, and seeds to begin with."""
