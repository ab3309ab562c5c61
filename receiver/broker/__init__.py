"""The broker, which moves work across machines: it wakes workers, and remembers nothing."""
