"""Measurements: seeded data, and smbrare beside the tools that users would pick instead."""
