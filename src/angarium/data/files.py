"""Datasources which are files: a query names one, and what is looked for in it.

Each read is a job of a thread, for a disk or a network file system may take its time. Nothing is
kept open between two queries, so a file may be replaced at any moment.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from angarium.data.driver import Bound, Limits
from angarium.data.errors import StatementError
from angarium.data.rows import Rows, Scalar
from angarium.data.statement import Template, dollars
from angarium.data.threads import Thread

LARGEST: Final = 64 * 1024 * 1024  # octets of a file which is read whole

Read = Callable[[Bound, Limits], Rows]


class Connection:
    """A thread which reads files."""

    def __init__(self, name: str, read: Read, limits: Limits) -> None:
        self._name = name
        self._read = read
        self._limits = limits
        self._thread: Thread | None = None

    @property
    def alive(self) -> bool:
        return self._thread is not None

    async def open(self) -> None:
        self._thread = Thread(asyncio.get_running_loop(), f"datasource {self._name}")

    async def run(self, bound: Bound, *, fetch: bool) -> Rows:
        if not fetch:
            raise StatementError("files are only read here")
        assert self._thread is not None
        return await self._thread.call(self._run, bound)

    def _run(self, bound: Bound) -> Rows:
        try:
            return self._read(bound, self._limits)
        except OSError as error:
            reason = error.strerror or str(error)
            raise StatementError(
                "the file cannot be read", file=bound.text, reason=reason
            ) from None

    def close(self) -> "asyncio.Future[None] | None":
        thread, self._thread = self._thread, None
        return thread.stop(_nothing) if thread is not None else None


def _nothing() -> None: ...


class Files:
    """A driver for files: `PATH?WHAT`. The path is that of the uri where the query has none.

    Args:
        default: the path of the uri, "" for none.
    """

    def __init__(self, kind: str, default: str, read: Read, limits: Limits) -> None:
        self.label = f"{kind}:{default}"
        self.probe = "?" if default else ""
        self._kind = kind
        self._default = default
        self._read = read
        self._limits = limits

    def template(self, text: str) -> Template:
        return dollars(text)

    def bind(self, text: str, template: Template, values: tuple[Scalar, ...]) -> Bound:
        path, _, what = text.strip().partition("?")
        in_path = dollars(path)
        count = len(in_path.names)
        path = _filled(in_path, [_in_path(each, in_path) for each in values[:count]])
        found = _filled(dollars(what), [written(each) for each in values[count:]])
        if not path and not self._default:
            raise StatementError("neither the query nor the uri names a file")
        return Bound(path or self._default, (found,))

    def connection(self, bound: Bound) -> Connection:
        return Connection(self._kind, self._read, self._limits)


def _filled(template: Template, values: list[str]) -> str:
    return template.joined(values)


def _in_path(value: Scalar, template: Template) -> str:
    """Return a value in a path; it may be a name, or all of the path, but leads nowhere else."""
    found = written(value)
    if template.texts != ("", "") and ("/" in found or found in ("", ".", "..")):
        raise StatementError("a parameter is no name of a file", value=found)
    if "\0" in found:
        raise StatementError("a parameter has a NUL")
    return found


def written(value: Scalar) -> str:
    """Return a value as text. Raises StatementError for nothing."""
    match value:
        case None:
            raise StatementError("a parameter is nothing")
        case bytes():
            return value.decode("utf-8", "surrogateescape")
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def octets_of(path: str) -> bytes:
    """Read a file. Raises StatementError if it is too large, and OSError."""
    with open(path, "rb") as file:
        found = file.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise StatementError("the file is too large", file=path, most=LARGEST)
    return found
