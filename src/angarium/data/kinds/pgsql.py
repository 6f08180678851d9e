"""PostgreSQL, by asyncpg.

All values go to the server as text, and it reads each as what its column is: a script has no dates
and no network addresses, only text that says one. What comes back is what `data/rows` has. The
server is told for how long a statement may take, so that none goes on which nobody waits for.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import asyncpg

from angarium.data import tls
from angarium.data.driver import Bound, Limits
from angarium.data.errors import StatementError, UnreachableError
from angarium.data.rows import Columns, Row, Rows, Scalar, plain
from angarium.data.statement import Template, sql
from angarium.data.uri import Uri

_PORT: Final = 5432
_PROGRAM: Final = "angarium"


def _said(value: str) -> str:
    return value


def _number(value: str) -> int | float:
    """Return a numeric; those which are no numbers to JSON (NaN, infinity) are floats."""
    whole, _, fraction = value.partition(".")
    return int(whole) if not fraction.strip("0") and whole.lstrip("-").isdigit() else float(value)


def _octets(value: str) -> bytes:
    return bytes.fromhex(value.removeprefix("\\x"))


def _hex(value: str) -> str:
    return "\\x" + value.encode("utf-8", "surrogateescape").hex()


# How the server's texts are read; what is not here is text, or what asyncpg makes of it.
_READ: Final[dict[str, Callable[[str], Any]]] = {
    "bool": lambda value: value == "t",
    "int2": int, "int4": int, "int8": int, "oid": int,
    "float4": float, "float8": float, "numeric": _number,
    "bytea": _octets,
    "date": _said, "time": _said, "timetz": _said, "timestamp": _said, "timestamptz": _said,
    "interval": _said, "uuid": _said, "inet": _said, "cidr": _said, "json": _said, "jsonb": _said,
}  # fmt: skip


def written(value: Scalar) -> str | None:
    """Return a value as the server reads it, whatever type it makes of it."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case bytes():
            return value.decode("utf-8", "surrogateescape")


class Connection:
    """A connection."""

    def __init__(self, options: dict[str, Any], limits: Limits) -> None:
        self._options = options
        self._limits = limits
        self._link: Any = None

    @property
    def alive(self) -> bool:
        return self._link is not None and not self._link.is_closed()

    async def open(self) -> None:
        try:
            self._link = await asyncpg.connect(**self._options)
            for name, read in _READ.items():
                await self._link.set_type_codec(
                    name,
                    schema="pg_catalog",
                    encoder=_hex if name == "bytea" else _said,
                    decoder=read,
                    format="text",
                )
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise UnreachableError(f"it does not let us in: {error}") from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise UnreachableError(str(error) or type(error).__name__) from None

    async def run(self, bound: Bound, *, fetch: bool) -> Rows:
        values = [written(each) for each in bound.values]
        try:
            if not fetch:
                await self._link.fetchrow(bound.text, *values)
                found = []
            elif self._limits.rows < 0:
                found = await self._link.fetch(bound.text, *values)
            else:
                async with self._link.transaction():
                    cursor = await self._link.cursor(bound.text, *values)
                    found = await cursor.fetch(self._limits.rows) if self._limits.rows else []
            if self._link.is_in_transaction():
                self.close()
                raise StatementError("a statement is a transaction; it can begin none")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
            if not self.alive:
                raise UnreachableError(str(error)) from None
            raise StatementError(str(error)) from None
        columns = Columns(list(found[0].keys()) if found else ())
        return tuple(Row(columns, [plain(each) for each in line]) for line in found)

    def close(self) -> "asyncio.Future[None] | None":
        if self._link is not None:
            self._link.terminate()
        return None


class Driver:
    """A database of a server."""

    dialect: Final = "pgsql"
    probe: Final = "SELECT 1"

    def __init__(self, uri: Uri, limits: Limits) -> None:
        self.label = uri.label
        self._uri = uri
        self._limits = limits

    def template(self, text: str) -> Template:
        return sql(text, self.dialect)

    def bind(self, text: str, template: Template, values: tuple[Scalar, ...]) -> Bound:
        marks = [f"${place}" for place in range(1, len(values) + 1)]
        return Bound(template.joined(marks), values)

    def connection(self, bound: Bound) -> Connection:
        given = self._uri.parameters
        milliseconds = str(max(1, round(self._limits.query_seconds * 1000)))
        options: dict[str, Any] = {
            "host": given.get("host", "localhost"),
            "port": int(given.get("port", _PORT)),
            "database": given["dbname"],
            "user": given.get("user"),
            "password": given.get("password"),
            "ssl": tls.context(given) or False,
            "timeout": self._limits.connect_seconds,
            "server_settings": {"application_name": _PROGRAM, "statement_timeout": milliseconds},
        }
        return Connection(options, self._limits)
