"""The other side of SMTP, for tests and users: a scripted server, an injector, latencies.

First `script` (what the sink does to whom), then `sink`; the injector begins in `load`.
"""
