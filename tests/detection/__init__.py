"""Tests of smbrare/detection."""
