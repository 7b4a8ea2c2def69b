"""Tests of what stands around the program: pages, the lock, the fuzz targets."""
