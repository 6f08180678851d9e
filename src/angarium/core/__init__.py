"""The words of the product: no I/O, no asyncio, no options, no logging.

First `message` (what we carry), then `reply` (what peers say), then `errors` (how we fail).
"""
