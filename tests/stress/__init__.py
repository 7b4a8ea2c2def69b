"""Scripts that try to break promises for longer than a test suite may."""
