"""What exists at this Graph: no clock, no thread, no I/O."""
