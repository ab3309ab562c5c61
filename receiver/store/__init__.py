"""SQL: nothing outside this package writes a statement."""
