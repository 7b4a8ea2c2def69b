"""Tests of smbrare/sources."""
