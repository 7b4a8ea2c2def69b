"""Why an event is or isn't a finding, and what an export lacks."""
