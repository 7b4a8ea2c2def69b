"""Tests of smbrare/diagnostics."""
