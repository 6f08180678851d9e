"""Many nodes as one. There are its options; what obeys them does not exist yet."""
