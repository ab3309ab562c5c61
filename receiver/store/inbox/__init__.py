"""Where notifications are kept, as fast as a durable commit can be."""
