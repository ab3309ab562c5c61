"""dj-stripe's webhook endpoint, in an environment of its own."""
