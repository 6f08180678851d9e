"""Reports: the classes of bounces, and the messages that tell of deliveries (RFC 3464)."""
