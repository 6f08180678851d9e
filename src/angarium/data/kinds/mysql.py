"""MySQL and MariaDB, by aiomysql.

Their protocol for text has no place for values beside the statement, and none of the drivers speaks
the other one. So a value is written as what no setting of the server reads as anything else: text
and octets as a hexadecimal literal, numbers as digits. There is no quote which could be closed.
"""

import asyncio
import math
from typing import Any, Final

import aiomysql
import pymysql

from angarium.data import tls
from angarium.data.driver import Bound, Limits
from angarium.data.errors import StatementError, UnreachableError
from angarium.data.rows import Columns, Row, Rows, Scalar, plain
from angarium.data.statement import Template, sql
from angarium.data.uri import Uri

_PORT: Final = 3306
_PROGRAM: Final = "angarium"
_LOST: Final = frozenset({2006, 2013, 2014, 2055})  # CR_SERVER_GONE_ERROR and its kin
_ALL: Final = 2**64 - 1  # of sql_select_limit
_IN_TRANSACTION: Final = 1  # SERVER_STATUS_IN_TRANS


def literal(value: Scalar) -> str:
    """Return a value as it stands in a statement. Raises StatementError if it cannot."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case float():
            if not math.isfinite(value):
                raise StatementError("a parameter is no number", value=str(value))
            return str(int(value)) if value.is_integer() else repr(value)
        case bytes():
            return f"x'{value.hex()}'"
        case str():
            try:
                return f"_utf8mb4 x'{value.encode().hex()}'"
            except UnicodeEncodeError:
                raise StatementError("a parameter is no UTF-8") from None


class Connection:
    """A connection."""

    def __init__(self, options: dict[str, Any], limits: Limits) -> None:
        self._options = options
        self._limits = limits
        self._link: Any = None

    @property
    def alive(self) -> bool:
        if self._link is None or self._link.closed:
            return False
        reader = self._link._reader
        return not (reader.at_eof() or reader.exception())

    async def open(self) -> None:
        try:
            self._link = await aiomysql.connect(**self._options)
            for each in self._settings():
                await self._link.query(each)
        except (pymysql.MySQLError, OSError) as error:
            raise UnreachableError(_said(error)) from None

    def _settings(self) -> list[str]:
        """Return what is said to the server first: for how long, and how much."""
        rows = self._limits.rows if self._limits.rows >= 0 else _ALL
        seconds = self._limits.query_seconds
        mariadb = "mariadb" in self._link.get_server_info().lower()
        most = (
            f"max_statement_time = {seconds:.3f}"
            if mariadb
            else f"max_execution_time = {max(1, round(seconds * 1000))}"
        )
        return [f"SET SESSION {most}", f"SET SESSION sql_select_limit = {rows}"]

    async def run(self, bound: Bound, *, fetch: bool) -> Rows:
        try:
            async with self._link.cursor() as cursor:
                await cursor.execute(bound.text)
                lines = await cursor.fetchall() if fetch and cursor.description else []
                names = [each[0] for each in cursor.description or ()]
        except pymysql.MySQLError as error:
            if not self.alive or error.args[:1] and error.args[0] in _LOST:
                self.close()
                raise UnreachableError(_said(error)) from None
            raise StatementError(_said(error)) from None
        except OSError as error:
            self.close()
            raise UnreachableError(_said(error)) from None
        if self._link.server_status & _IN_TRANSACTION:
            self.close()
            raise StatementError("a statement is a transaction; it can begin none")
        columns = Columns(names)
        kept = lines if self._limits.rows < 0 else lines[: self._limits.rows]
        return tuple(Row(columns, [plain(each) for each in line]) for line in kept)

    def close(self) -> "asyncio.Future[None] | None":
        if self._link is not None and not self._link.closed:
            self._link.close()
        return None


def _said(error: Exception) -> str:
    """Return what a driver says in plain words: its errors are a number and a text."""
    said = str(error.args[-1] if error.args else type(error).__name__)
    # Of a connection it says only that there is none; the reason is what it was raised from.
    return f"{said}: {error.__cause__}" if isinstance(error.__cause__, OSError) else said


class Driver:
    """A database of a server."""

    dialect: Final = "mysql"
    probe: Final = "SELECT 1"

    def __init__(self, uri: Uri, limits: Limits) -> None:
        self.label = uri.label
        self._uri = uri
        self._limits = limits

    def template(self, text: str) -> Template:
        return sql(text, self.dialect)

    def bind(self, text: str, template: Template, values: tuple[Scalar, ...]) -> Bound:
        return Bound(template.joined([literal(each) for each in values]))

    def connection(self, bound: Bound) -> Connection:
        given = self._uri.parameters
        host = given.get("host", "localhost")
        where = (
            {"unix_socket": host}
            if host.startswith("/")
            else {"host": host, "port": int(given.get("port", _PORT))}
        )
        options: dict[str, Any] = where | {
            "user": given.get("user"),
            "password": given.get("password", ""),
            "db": given["dbname"],
            "charset": "utf8mb4",
            "autocommit": True,
            "program_name": _PROGRAM,
            "ssl": tls.context(given),
        }
        return Connection(options, self._limits)
