"""Messages made from content and recipients. There are its options; nothing obeys them yet."""
