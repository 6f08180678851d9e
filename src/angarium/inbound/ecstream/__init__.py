"""Mail taken in by ECStream. There are its options; what obeys them does not exist yet."""
