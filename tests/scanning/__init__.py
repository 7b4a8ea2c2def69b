"""Tests of smbrare/scanning."""
