"""What policy counts and remembers for the whole node, whichever worker does it."""
