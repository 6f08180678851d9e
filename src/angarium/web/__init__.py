"""HTTP for people and programs. There are its options; what obeys them does not exist yet."""
