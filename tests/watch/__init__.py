"""Tests of smbrare/watch."""
