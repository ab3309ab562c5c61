"""Facebook's Graph protocol, as values and pure functions: no SQL, no Flask."""
