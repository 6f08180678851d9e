"""What a kind of database has to bring: a `Driver`, whose connections run statements.

    driver = Driver(uri, limits)           one for each uri of a datasource; does no I/O
    connection = driver.connection(bound)  nothing is open yet, but there is something to close
    await connection.open()
    await connection.run(bound, fetch=True)

Errors: `StatementError` if the database refuses the statement, `UnreachableError` if the connection
is of no more use. A connection is used by one at a time, and closed by whoever was disturbed while
using it. Bounds of time are kept by who calls (`data/pool`).
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

from angarium.data.rows import Rows, Scalar
from angarium.data.statement import Template


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection keeps to.

    Attributes:
        rows: most that are fetched of a result; -1 is all.
        charset: of text whose character set nobody knows.
        connect_seconds, query_seconds: for what waits in a thread, or at the database.
    """

    rows: int = 100
    charset: str = "iso-8859-1"
    connect_seconds: float = 5.0
    query_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Bound:
    """A statement and its values, ready for a database.

    Attributes:
        whom: a connection serves statements of one `whom`; all have the same, but where who asks
            is part of the query, as in LDAP.
    """

    text: str
    values: tuple[Scalar, ...] = ()
    whom: Hashable = ()
    content: object = None


class Connection(Protocol):
    """One connection to a database."""

    @property
    def alive(self) -> bool:
        """Return whether it can still be used, as far as one sees without asking."""
        ...

    async def open(self) -> None: ...

    async def run(self, bound: Bound, *, fetch: bool) -> Rows:
        """Run a statement. `fetch`: the rows are wanted; else () is returned."""
        ...

    def close(self) -> "asyncio.Future[None] | None":
        """Close it at once; return what to wait for until nothing is left of it, if anything."""
        ...


class Driver(Protocol):
    """A database which a uri names."""

    @property
    def label(self) -> str:
        """Return what it is called in errors, without passwords."""
        ...

    @property
    def probe(self) -> str:
        """Return a query for next to nothing, to see whether it answers; "" if there is none."""
        ...

    def template(self, text: str) -> Template:
        """Take a query apart. Raises StatementError."""
        ...

    def bind(self, text: str, template: Template, values: tuple[Scalar, ...]) -> Bound:
        """Return the statement for this database. Raises StatementError."""
        ...

    def connection(self, bound: Bound) -> Connection: ...
