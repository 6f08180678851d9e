"""ecelerity.conf: what may be set where, and what holds at a place.

First `option` (how an option is declared), then `scope` (in which stanzas, and who falls back to
whom), then `load` (a file becomes a `Configuration`) and `resolve` (what holds at a place).
"""
