"""Tell a caller that its set is collected: where to, signed how, and the call itself."""
