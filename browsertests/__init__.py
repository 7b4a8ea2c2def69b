"""Tests that need a Chromium: ``make browser-test``, after installing one and its driver."""
