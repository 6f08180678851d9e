"""Failures which are foreseen, with the fields that make them useful in a log.

    Error
     +-- ConfigError      config/errors: file, line, column, advice
     +-- DeliveryError    outbound/errors: carries the reply it stands for, and its reach
     +-- SpoolError       journal/errors: what could not be made durable

A bug raises whatever it raises; nobody catches `Exception` but the outermost loop of a worker and
`policy/guard`.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class Error(Exception):
    """A foreseen failure: `message` for people, `fields` for the log."""

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields

    def __str__(self) -> str:
        if not self.fields:
            return self.message
        known = " ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"{self.message} ({known})"


@contextmanager
def context(**fields: object) -> Iterator[None]:
    """Add what this level knows to an Error passing through; inner levels win."""
    try:
        yield
    except Error as error:
        error.fields = fields | error.fields
        raise
