"""Tests of smbrare/outputs."""
