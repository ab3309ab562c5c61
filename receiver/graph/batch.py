"""Plan a batch (pure): ties, waves, at most 50 operations and 10 ad creations a call."""
