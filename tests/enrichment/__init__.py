"""Tests of smbrare/enrichment."""
