"""A sync batch: planned, sent in as many calls as it takes, and answered in its caller's order."""
