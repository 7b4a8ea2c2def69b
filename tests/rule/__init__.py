"""Tests of smbrare/rule."""
