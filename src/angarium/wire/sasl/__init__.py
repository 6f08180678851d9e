"""SASL (RFC 4422), both sides, without I/O. Read `exchange` first, then `plain`; `mechanisms` lists
all there are.
"""
