"""Tests of smbrare/cli."""
