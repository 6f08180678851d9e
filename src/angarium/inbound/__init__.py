"""Services which take mail in. `smtp` is the session; it asks `access`, `limits` and `content`.

The way of a message ends here when `queue/admit` has it; only its word, after the disk has synced,
becomes a 250.
"""
