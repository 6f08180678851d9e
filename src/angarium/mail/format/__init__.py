"""What a message looks like: its header, its parts, their encodings. `header` first.

Everything works on the octets as they came; nothing is decoded which is not asked for.
"""
