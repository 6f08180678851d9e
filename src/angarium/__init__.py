"""Angarium, an open email infrastructure platform.

Read `core/message` for the words, then `run/assemble` to see everything put together. The layers
and the way of a message stand in docs/architecture.md.
"""
