"""Where inputs meet detection: plan, read, merge, judge."""
