"""What goes wrong with calls, and what they cost."""
