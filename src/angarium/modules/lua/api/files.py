"""msys.readfile, msys.core.io_wrapper_open and msys.os: files, written and read beside the loop.

A disk which hangs stops the script which waits for it, and nobody else. Where nothing may wait, as
in init, the same is done at once.
"""

import asyncio
import os
import re
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from angarium.events.jlog import JlogError, Writer
from angarium.modules.lua.bind import LuaError, Runtime, Several, lua, lua_constants, lua_object

MOST: Final = 64 * 1024 * 1024  # octets read at once: a script has them all in memory
# Another process may write to the same jlog just now.
TRIES: Final = 200
PAUSE: Final = 0.01
STATVFS_SECONDS: Final = 5.0  # between two looks, where a script says 0

lua_constants(
    "msys.core",
    O_RDONLY=os.O_RDONLY,
    O_WRONLY=os.O_WRONLY,
    O_RDWR=os.O_RDWR,
    O_RDRW=os.O_RDWR,  # the manual's own spelling of it, in places
    O_CREAT=os.O_CREAT,
    O_APPEND=os.O_APPEND,
    O_TRUNC=os.O_TRUNC,
    O_EXCL=os.O_EXCL,
    O_BINARY=0,
)
_NUMBER: Final = re.compile(rb"\s*([-+]?(?:0[xX][0-9A-Fa-f]+|\d+\.?\d*(?:[eE][-+]?\d+)?))")


def path_of(name: str) -> Path:
    """Return the path of a file by its name or URI.

    Raises:
        LuaError: it is a URI of another kind.
    """
    scheme, colon, rest = name.partition(":")
    if not colon or "/" in scheme or not rest.startswith("//"):
        return Path(name)
    if scheme.lower() != "file":
        raise LuaError(f"'{scheme}:' is not supported here")
    return Path(unquote(urlsplit(name).path))


# -- reading a file at once -------------------------------------------------------------------


def _read(name: str) -> Several:
    try:
        with path_of(name).open("rb") as file:
            octets = file.read(MOST + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero octet in the name
        return Several(None, f"{name}: {_said(error)}")
    if len(octets) > MOST:
        return Several(None, f"{name}: it has more than {MOST} octets")
    return Several(octets)


def _said(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


@lua("msys.readfile", otherwise=_read)
async def readfile(filename_or_uri: str) -> Several:
    """Return all of a file, or nil and the reason; a name, or a URI file:///..."""
    return await asyncio.to_thread(_read, filename_or_uri)


# -- handles ----------------------------------------------------------------------------------


@lua_object("io", "io_object")
class IoObject:
    """An open file, or a jlog. It is closed with the last one who holds it."""

    def __init__(self, name: str, write: Callable[[bytes], None], file: int = -1) -> None:
        self.name = name
        self.closed = False
        self._file = file
        self._append = write
        self._ahead = b""
        # Scripts may share it; each write is in one piece.
        self._lock = threading.Lock()
        self._close = weakref.finalize(self, os.close, file) if file >= 0 else None

    def write(self, octets: bytes) -> int:
        """Write all of it. Raises LuaError."""
        with self._lock:
            self._check()
            try:
                self._append(octets)
            except (OSError, JlogError) as error:
                raise LuaError(f"{self.name}: {_said(error)}") from error
        return len(octets)

    def read(self, form: bytes | int) -> bytes | float | None:
        """Read as Lua's files do: "*l", "*a", "*n", or so many octets. Raises LuaError."""
        with self._lock:
            self._check()
            if self._file < 0:
                raise LuaError(f"{self.name} is written only")
            try:
                return self._form(form)
            except OSError as error:
                raise LuaError(f"{self.name}: {_said(error)}") from error

    def _form(self, form: bytes | int) -> bytes | float | None:
        if isinstance(form, int):
            if form < 0 or form > MOST:
                raise LuaError(f"{self.name}: {form} octets cannot be read at once")
            return self._octets(form) or (b"" if form == 0 and self._more() else None)
        word = form.lstrip(b"*")[:1]
        if word == b"a":
            octets = self._octets(MOST)
            if self._more():
                raise LuaError(f"{self.name}: there are more than {MOST} octets")
            return octets
        if word == b"l":
            return self._line()
        if word == b"n":
            return self._number()
        raise LuaError("a file is read by *l, *a, *n or a number of octets")

    def _more(self) -> bool:
        if not self._ahead:
            self._ahead = os.read(self._file, 65536)
        return bool(self._ahead)

    def _octets(self, count: int) -> bytes:
        parts = []
        while count > 0 and self._more():
            parts.append(self._ahead[:count])
            self._ahead = self._ahead[count:]
            count -= len(parts[-1])
        return b"".join(parts)

    def _line(self) -> bytes | None:
        if not self._more():
            return None
        while (at := self._ahead.find(b"\n")) < 0 and len(self._ahead) < MOST:
            if not (more := os.read(self._file, 65536)):
                break
            self._ahead += more
        line = self._ahead if at < 0 else self._ahead[:at]
        self._ahead = self._ahead[len(line) + 1 :]
        return line

    def _number(self) -> float | None:
        while self._more() and len(self._ahead) < 200 and (more := os.read(self._file, 200)):
            self._ahead += more
        found = _NUMBER.match(self._ahead)
        if found is None:
            return None
        self._ahead = self._ahead[found.end() :]
        text = found[1].decode()
        return float(int(text, 16)) if "x" in text.lower() else float(text)

    def seek(self, whence: str, offset: int) -> int:
        """Go somewhere; return the place, in octets. Raises LuaError."""
        ways = {"set": os.SEEK_SET, "cur": os.SEEK_CUR, "end": os.SEEK_END}
        if whence not in ways:
            raise LuaError("a place is counted from set, cur or end")
        with self._lock:
            self._check()
            if whence == "cur":
                offset -= len(self._ahead)
            self._ahead = b""
            try:
                return os.lseek(self._file, offset, ways[whence])
            except OSError as error:
                raise LuaError(f"{self.name}: {_said(error)}") from error

    def close(self) -> None:
        with self._lock:
            self.closed = True
            if self._close is not None:
                self._close()

    def _check(self) -> None:
        if self.closed:
            raise LuaError(f"{self.name} is closed")


def _open(lua: Runtime, filename: str, options: int = 0, mode: int = 0o644) -> IoObject | None:
    if filename.startswith("jlog:"):
        return _open_jlog(lua, filename, mode)
    try:
        file = os.open(path_of(filename), options | os.O_CLOEXEC, mode & 0o777)
    except (OSError, ValueError):
        return None
    return IoObject(filename, lambda octets: _write_all(file, octets), file)


def _write_all(file: int, octets: bytes) -> None:
    while octets:
        octets = octets[os.write(file, octets) :]


def _open_jlog(lua: Runtime, uri: str, mode: int) -> IoObject | None:
    """Open "jlog:///path=>subscriber"; the jlog is made when there is none."""
    place, _, subscriber = uri.removeprefix("jlog:").partition("=>")
    path = Path(unquote(place.removeprefix("//")))
    writer = (
        Writer(path, subscriber, mode & 0o777) if subscriber else Writer(path, mode=mode & 0o777)
    )
    try:
        writer.open()
    except (OSError, ValueError, JlogError):
        return None
    clock, pause = lua.services.clock, threading.Event()  # nobody sets it

    def append(octets: bytes) -> None:
        for _ in range(TRIES):
            with suppress(BlockingIOError):
                if writer.append([octets], clock.time()):
                    return
                continue  # a segment was full; the next one is begun
            pause.wait(PAUSE)
        raise LuaError(f"{uri} is written by somebody else all the time")

    made = IoObject(uri, append)
    weakref.finalize(made, writer.close)
    return made


@lua("msys.core.io_wrapper_open", since="3.3", otherwise=_open)
async def io_wrapper_open(
    lua: Runtime, filename: str, options: int = 0, mode: int = 0o644
) -> IoObject | None:
    """Open a file, or a jlog by "jlog:///path=>subscriber"; nil if that fails.

    `options`: msys.core.O_CREAT and others, joined by "|". `mode`: of a file which is made.
    """
    return await asyncio.to_thread(_open, lua, filename, options, mode)


def _write(self: IoObject, data: bytes, length: int | None = None) -> int:
    return self.write(data if length is None else data[: max(length, 0)])


@lua("io:write", otherwise=_write)
async def io_write(self: IoObject, data: bytes, length: int | None = None) -> int:
    """Write octets, or the first `length` of them; return how many."""
    return await asyncio.to_thread(_write, self, data, length)


def _read_form(self: IoObject, form: bytes | int = b"*l") -> bytes | float | None:
    return self.read(form)


@lua("io:read", otherwise=_read_form)
async def io_read(self: IoObject, form: bytes | int = b"*l") -> bytes | float | None:
    """Read a line ("*l"), all ("*a"), a number ("*n"), or so many octets; nil at the end."""
    return await asyncio.to_thread(self.read, form)


@lua_object("lines", "io_lines")
class Lines:
    """Lines of a file, one after the other: for line in file:lines()."""

    def __init__(self, of: IoObject) -> None:
        self.of = of


@lua("io:lines")
def io_lines(self: IoObject) -> Lines:
    """Return what gives one line after the other."""
    return Lines(self)


def _next_line(self: Lines) -> bytes | float | None:
    return self.of.read(b"*l")


@lua("lines:__call", otherwise=_next_line)
async def lines_next(self: Lines) -> bytes | float | None:
    """Return the next line, nil after the last one."""
    return await asyncio.to_thread(_next_line, self)


@lua("io:seek")
def io_seek(self: IoObject, whence: str = "cur", offset: int = 0) -> int:
    """Go to a place counted from "set", "cur" or "end"; return it, in octets."""
    return self.seek(whence, offset)


@lua("io:flush")
def io_flush(self: IoObject) -> bool:
    """Do nothing: what was written is with the system already."""
    return not self.closed


@lua("io:close")
def io_close(self: IoObject) -> bool:
    """Close it."""
    self.close()
    return True


# -- file systems -----------------------------------------------------------------------------


@lua_object("statvfs_record", "ec_statvfs_record_t")
class Subscription:
    """A file system which is looked at now and then."""

    def __init__(self, path: str, interval: float) -> None:
        self.path = path
        self.interval = interval
        self.seen_at = -1e9
        self.version = 0
        self.found: dict[str, int] | str = "it has not been looked at yet"

    def look(self, now: float) -> None:
        """Look, if the last time is too long ago."""
        if now - self.seen_at < self.interval:
            return
        self.seen_at = now
        self.version += 1
        try:
            found = os.statvfs(self.path)
        except (OSError, ValueError) as error:
            self.found = f"{self.path}: {_said(error)}"
            return
        self.found = {
            "version": self.version,
            "kilobytes_available": found.f_bavail * found.f_frsize // 1024,
            "kilobytes_total": found.f_blocks * found.f_frsize // 1024,
            "objects_available": found.f_favail,
            "objects_total": found.f_files,
        }


@lua("msys.os.statvfs_subscribe", since="3.2")
def statvfs_subscribe(path: str, interval: float = 0) -> Subscription:
    """Begin to look at a file system, at most each `interval` seconds; 0 is five."""
    return Subscription(path, interval if interval > 0 else STATVFS_SECONDS)


def _statvfs(lua: Runtime, path: Subscription | str) -> Several:
    record = path if isinstance(path, Subscription) else Subscription(path, 0.0)
    record.look(lua.services.clock.monotonic())
    return Several(None, record.found) if isinstance(record.found, str) else Several(record.found)


@lua("msys.os.statvfs_read", since="3.2", otherwise=_statvfs)
async def statvfs_read(lua: Runtime, path: Subscription | str) -> Several:
    """Return what is known of a file system, as a table, or nil and the reason.

    `path`: what statvfs_subscribe gave, or a path. The table has version, kilobytes_available,
    kilobytes_total, objects_available and objects_total.
    """
    return await asyncio.to_thread(_statvfs, lua, path)
