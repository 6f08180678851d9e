"""Protocols without I/O: bytes in, events out; answers in, bytes out. `smtp_server` first.

No clock, no log, no option: limits come in as plain values, and `net/stream` is the only driver.
"""
