"""What happens to a set. Each step takes what it needs and returns what it did."""
