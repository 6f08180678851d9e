"""The I/O of mail: sockets, name servers, timers of connections.

First `stream` (drives a wire session over a transport), then `listener` and `dnscache`.
"""
