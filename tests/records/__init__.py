"""Tests of smbrare/records."""
