"""Redis and Valkey: a query is a command, RESP 3 and hiredis.

    GET user:$name              one row, one column; no row where there is nothing
    HGETALL user:$name          one row, whose columns are the fields
    SMEMBERS ?                  a row for each member

Words are told apart before values are put in, so a value is never more than (part of) one word.
Commands which change what the connection is for, or wait, are refused: others use it after.
"""

import asyncio
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import hiredis

from angarium.data import tls
from angarium.data.driver import Bound, Limits
from angarium.data.errors import StatementError, UnreachableError
from angarium.data.rows import Columns, Row, Rows, Scalar, Value, plain, text
from angarium.data.statement import Name, Template, dollars
from angarium.data.uri import Uri

_PORT: Final = 6379
_PIECE: Final = 65536
_MORE: Final = object()  # what the parser says when a reply is not complete
_REFUSED: Final = frozenset(
    "auth blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin client discard exec hello "
    "monitor multi psubscribe psync punsubscribe quit reset select shutdown ssubscribe subscribe "
    "sunsubscribe sync unsubscribe unwatch wait waitaof watch".split()
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command whose words are told apart, and the placeholders in all of them."""

    words: tuple[Template, ...]
    template: Template


@lru_cache(maxsize=1024)
def command(query: str) -> Command:
    """Take a command apart. Raises StatementError."""
    try:
        words = shlex.split(query)
    except ValueError:
        raise StatementError("a quote is not closed") from None
    if not words:
        raise StatementError("the command is empty")
    if words[0].lower() in _REFUSED:
        raise StatementError("this command changes the connection, which others use")
    made, place = list[Template](), 0
    for each in words:
        if each == "?":
            place += 1
            made.append(Template(("", ""), (place,)))
        else:
            made.append(dollars(each))
    names: list[Name] = [name for each in made for name in each.names]
    if len({type(each) for each in names}) > 1:
        raise StatementError("the command has both ? and $name")
    return Command(tuple(made), Template(("",) * (len(names) + 1), tuple(names)))


def octets(value: Scalar) -> bytes:
    """Return a value as part of a word."""
    match value:
        case None:
            return b""
        case bytes():
            return value
        case bool():
            return b"1" if value else b"0"
        case float() if value.is_integer():
            return str(int(value)).encode()
        case _:
            return str(value).encode("utf-8", "surrogateescape")


class Connection:
    """A connection; one command is on its way at a time."""

    def __init__(self, uri: Uri, limits: Limits) -> None:
        self._uri = uri
        self._limits = limits
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._parser = hiredis.Reader(notEnoughData=_MORE)

    @property
    def alive(self) -> bool:
        reader, writer = self._reader, self._writer
        if reader is None or writer is None:
            return False
        return not (writer.is_closing() or reader.at_eof() or reader.exception())

    async def open(self) -> None:
        given = self._uri.parameters
        host, security = given.get("host", "localhost"), tls.context(given)
        try:
            if host.startswith("/"):
                self._reader, self._writer = await asyncio.open_unix_connection(host)
            else:
                self._reader, self._writer = await asyncio.open_connection(
                    host, int(given.get("port", _PORT)), ssl=security
                )
            hello = [b"HELLO", b"3"]
            if password := given.get("password"):
                hello += b"AUTH", given.get("user", "default").encode(), password.encode()
            await self._asked(hello)
            if database := given.get("db"):
                await self._asked([b"SELECT", database.encode()])
        except StatementError as error:
            raise UnreachableError(f"it does not let us in: {error.message}") from None
        except (OSError, hiredis.ProtocolError) as error:
            raise UnreachableError(str(error)) from None

    async def run(self, bound: Bound, *, fetch: bool) -> Rows:
        words = bound.content
        assert isinstance(words, tuple)
        try:
            found = await self._asked(words)
        except (OSError, hiredis.ProtocolError) as error:
            self.close()
            raise UnreachableError(str(error)) from None
        return self._rows(found) if fetch else ()

    async def _asked(self, words: Sequence[bytes]) -> Any:
        """Send a command and return its reply. Raises DataError and OSError."""
        assert self._reader is not None
        assert self._writer is not None
        self._writer.write(hiredis.pack_command(tuple(words)))  # type: ignore[arg-type]
        await self._writer.drain()
        while (reply := self._parser.gets()) is _MORE:
            piece = await self._reader.read(_PIECE)
            if not piece:
                self.close()
                raise UnreachableError("it closed the connection")
            self._parser.feed(piece)
        if isinstance(reply, hiredis.ReplyError):
            raise StatementError(str(reply))
        return reply

    def _rows(self, reply: Any) -> Rows:
        """Return a reply as rows."""
        if reply is None:
            return ()
        if isinstance(reply, Mapping):
            if not reply:
                return ()
            names = [str(self._value(each)) for each in reply]
            return (Row(Columns(names), [self._value(each) for each in reply.values()]),)
        column = Columns.unnamed(1)
        if isinstance(reply, list | set | tuple | frozenset):
            lines = list(reply)
            most = self._limits.rows
            kept = lines if most < 0 else lines[:most]
            return tuple(Row(column, [self._value(each)]) for each in kept)
        return (Row(column, [self._value(reply)]),)

    def _value(self, value: Any) -> Value:
        if isinstance(value, bytes):
            return text(value, self._limits.charset)
        if isinstance(value, Mapping):
            return tuple(self._value(each) for pair in value.items() for each in pair)
        if isinstance(value, list | set | tuple | frozenset):
            return tuple(self._value(each) for each in value)
        return plain(value)

    def close(self) -> "asyncio.Future[None] | None":
        if self._writer is not None:
            self._writer.transport.abort()
        return None


class Driver:
    """A database of a server."""

    probe: Final = "PING"

    def __init__(self, uri: Uri, limits: Limits) -> None:
        self.label = uri.label
        self._uri = uri
        self._limits = limits

    def template(self, text: str) -> Template:
        return command(text).template

    def bind(self, text: str, template: Template, values: tuple[Scalar, ...]) -> Bound:
        words, place = list[bytes](), 0
        for each in command(text).words:
            pieces = [each.texts[0].encode("utf-8", "surrogateescape")]
            for after in each.texts[1:]:
                pieces += octets(values[place]), after.encode("utf-8", "surrogateescape")
                place += 1
            words.append(b"".join(pieces))
        return Bound(text, values, content=tuple(words))

    def connection(self, bound: Bound) -> Connection:
        return Connection(self._uri, self._limits)
