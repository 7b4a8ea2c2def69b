"""Tests of smbrare/baseline."""
