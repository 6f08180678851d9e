"""What happened: declared once in `schema`, written once to a stream, read by many.

First `schema` (what can happen), then `stream` (where it is kept), then `format` (how logs say it).
"""
