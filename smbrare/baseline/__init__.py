"""What earlier scans have seen: kept in SQLite, exchanged as text."""
