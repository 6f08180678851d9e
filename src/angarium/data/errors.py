"""What can go wrong with a datasource. Each error names the source; none has a password in it.

    DataError
     +-- StatementError      the query, its parameters, or what the database says of it
     +-- UnreachableError    nobody answers, or not in time; asking again later may help
          +-- LateError      it did not answer in time
          +-- RestingError   it was not asked: it has failed too often, or too many wait

Scripts, logs and operators are told their text and fields; a peer is told nothing of them.
"""

from typing import Self

from angarium.core.errors import Error


class DataError(Error):
    """A query has no result."""

    def again(self) -> Self:
        """Return an error like this one: each of those who waited for it raises its own."""
        return type(self)(self.message, **self.fields)


class StatementError(DataError):
    """The query cannot be: it would fail again."""


class UnreachableError(DataError):
    """The database cannot be asked, or is gone in the middle of it.

    Attributes:
        begun: it may have been asked; what changes something may have been done.
    """

    begun = False


class LateError(UnreachableError):
    """It did not answer in time."""


class RestingError(UnreachableError):
    """It was not asked."""
