"""The programs, and the only place where parts are put together.

First `assemble`, one function which builds a worker; then `supervisor`, which starts them.
"""
