"""Delivery which learns from replies. There are its options; what obeys them does not exist yet."""
