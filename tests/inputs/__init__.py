"""Tests of smbrare/inputs."""
