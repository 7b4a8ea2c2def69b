"""From paths and URLs to bytes to records."""
