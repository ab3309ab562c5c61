"""What the receiver is measured against."""
