"""SQLite: a file. Each connection has a thread, so that a slow disk holds up nobody else.

Statements stand by themselves: each is a transaction of its own. A database which is not there is
not made, because one which is made by a mistyped path is empty and answers everything. One which is
replaced, as by `mv`, is found to be another file at the next statement.
"""

import asyncio
import contextlib
import os
import sqlite3
from functools import partial
from typing import Final
from urllib.parse import quote

from angarium.data.driver import Bound, Limits
from angarium.data.errors import StatementError, UnreachableError
from angarium.data.rows import Columns, Row, Rows, Scalar, text
from angarium.data.statement import Template, sql
from angarium.data.threads import Thread
from angarium.data.uri import Uri

_STATEMENTS: Final = 128  # prepared ones which are kept by a connection


class Connection:
    """A connection, in a thread of its own."""

    def __init__(self, path: str, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._thread: Thread | None = None
        self._database: sqlite3.Connection | None = None
        self._file = (0, 0)
        self._closing = False

    @property
    def alive(self) -> bool:
        return self._database is not None and not self._closing

    async def open(self) -> None:
        self._thread = Thread(asyncio.get_running_loop(), "datasource sqlite")
        await self._thread.call(self._open)

    def _open(self) -> None:
        try:
            database = sqlite3.connect(
                f"file:{quote(self._path)}?mode=rw",
                uri=True,
                timeout=self._limits.query_seconds,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_STATEMENTS,
            )
        except sqlite3.Error as error:
            raise UnreachableError(str(error)) from None
        database.text_factory = partial(text, charset=self._limits.charset)
        self._database, self._file = database, self._there()

    def _there(self) -> tuple[int, int]:
        """Return which file has the name now; (0, 0) if none."""
        try:
            status = os.stat(self._path)
        except OSError:
            return 0, 0
        return status.st_dev, status.st_ino

    async def run(self, bound: Bound, *, fetch: bool) -> Rows:
        assert self._thread is not None
        return await self._thread.call(self._run, bound, fetch)

    def _run(self, bound: Bound, fetch: bool) -> Rows:
        if self._database is not None and self._there() != self._file:
            self._close()
            self._open()
        database = self._database
        if database is None:
            raise UnreachableError("the connection was closed")
        try:
            cursor = database.execute(bound.text, bound.values)
            try:
                if not fetch or cursor.description is None or self._limits.rows == 0:
                    lines = []  # Zero is all to `fetchmany`.
                elif self._limits.rows < 0:
                    lines = cursor.fetchall()
                else:
                    lines = cursor.fetchmany(self._limits.rows)
                names = [each[0] for each in cursor.description or ()]
            finally:
                cursor.close()
            if database.in_transaction:
                database.rollback()
                raise StatementError("a statement is a transaction; it can begin none")
        except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeEncodeError) as error:
            raise StatementError(str(error)) from None
        columns = Columns(names)
        return tuple(Row(columns, line) for line in lines)

    def close(self) -> "asyncio.Future[None] | None":
        if self._thread is None:
            return None
        self._closing = True
        if self._database is not None:
            with contextlib.suppress(sqlite3.ProgrammingError):  # It is being opened anew.
                self._database.interrupt()  # what a statement does for too long
        return self._thread.stop(self._close)

    def _close(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            database.close()


class Driver:
    """A database file."""

    dialect: Final = "sqlite"
    probe: Final = "SELECT 1"

    def __init__(self, uri: Uri, limits: Limits) -> None:
        self.label = uri.label
        self._path = uri.rest
        self._limits = limits

    def template(self, text: str) -> Template:
        return sql(text, self.dialect)

    def bind(self, text: str, template: Template, values: tuple[Scalar, ...]) -> Bound:
        return Bound(template.joined(["?"] * len(values)), values)

    def connection(self, bound: Bound) -> Connection:
        return Connection(self._path, self._limits)
