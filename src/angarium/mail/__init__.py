"""What a message says: its format, its authentication, reports about it. Pure functions."""
