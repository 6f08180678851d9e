"""What Python loads first in a server under test: files that fail on demand, a clock that is set.

Found through PYTHONPATH, and only there (`helpers/injected.py` starts the server so). The product
knows nothing of it: the functions of `os` and `time` are replaced before any of it is imported.

    INJECT_ROOT     files below this folder are of interest
    INJECT_RULES    a file of rules, one a line, looked at whenever it has changed:
                        OPERATION PATTERN ERRNO [SKIP [TIMES]]
                    the pattern is of the path below the root; counted in each process by itself
    INJECT_SEEN     each process appends "OPERATION PATH" there, once for each
    INJECT_CLOCK    a file with one double: seconds by which the system clock is wrong
"""

import errno
import fnmatch
import mmap
import os
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

ROOT = os.environ.get("INJECT_ROOT", "")
SHORT = "SHORT"  # no errno: half of it is written


class Rule:
    def __init__(self, line: str) -> None:
        self.operation, self.pattern, self.error, *counts = line.split()
        self.skip = int(counts[0]) if counts else 0
        self.times = int(counts[1]) if len(counts) > 1 else sys.maxsize

    def applies(self, operation: str, path: str) -> bool:
        if self.operation != operation or not fnmatch.fnmatchcase(path, self.pattern):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


class Rules:
    """The rules in force, and what was seen."""

    def __init__(self, path: str, seen: str) -> None:
        self._path = path
        self._stamp = 0
        self._rules: list[Rule] = []
        self._seen = os.open(seen, os.O_WRONLY | os.O_APPEND | os.O_CREAT) if seen else -1
        self._known: set[tuple[str, str]] = set()

    def meet(self, operation: str, path: str) -> bool:
        """Raise what a rule says about this; return whether only half is to be done."""
        below = path.removeprefix(ROOT + "/")
        if below == path:
            return False
        if self._seen >= 0 and (operation, below) not in self._known:
            self._known.add((operation, below))
            WRITE(self._seen, f"{operation} {below}\n".encode())
        stamp = os.stat(self._path).st_mtime_ns
        if stamp != self._stamp:
            with open(self._path, encoding="ascii") as file:
                self._rules = [Rule(line) for line in file]
            self._stamp = stamp
        for rule in self._rules:
            if rule.applies(operation, below):
                if rule.error == SHORT:
                    return True
                number = getattr(errno, rule.error)
                raise OSError(number, f"injected {rule.error}", path)
        return False


WRITE = os.write


def path_of(file: Any) -> str:
    """Return the path of a descriptor, or of a name."""
    if isinstance(file, int):
        try:
            return os.readlink(f"/proc/self/fd/{file}")
        except OSError:
            return ""
    return os.path.abspath(os.fsdecode(file))


Function = Callable[..., Any]


def simple(rules: Rules, operation: str, real: Function) -> Function:
    def wrapped(file: Any, *args: Any, **kinds: Any) -> Any:
        rules.meet(operation, path_of(file))
        return real(file, *args, **kinds)

    return wrapped


def writing(rules: Rules, real: Function) -> Function:
    def wrapped(file: int, what: Any, *args: Any) -> Any:
        if rules.meet("write", path_of(file)):
            octets = what if isinstance(what, bytes) else b"".join(what)
            half = octets[: max(len(octets) // 2, 1)]
            what = half if isinstance(what, bytes) else [half]
        return real(file, what, *args)

    return wrapped


def syncing(rules: Rules, real: Function) -> Function:
    def wrapped(file: int) -> None:
        path = path_of(file)
        rules.meet("syncdir" if os.path.isdir(path) else "sync", path)
        real(file)

    return wrapped


def opening(rules: Rules, real: Function) -> Function:
    def wrapped(path: Any, flags: int, *args: Any, **kinds: Any) -> Any:
        if flags & (os.O_WRONLY | os.O_RDWR):
            name = path_of(path)
            new = flags & os.O_CREAT and not os.path.exists(name)
            rules.meet("create" if new else "open", name)
        return real(path, flags, *args, **kinds)

    return wrapped


def replace_files(rules: Rules) -> None:
    """Put our functions in the place of those of `os` that change files."""
    for name in ("write", "pwrite", "pwritev", "writev"):
        setattr(os, name, writing(rules, getattr(os, name)))
    # The kernel would write by itself, past these functions.
    from angarium.journal.ring import Ring  # noqa: PLC0415 - only where files are replaced

    Ring.open = classmethod(lambda cls: None)  # type: ignore[assignment,method-assign]
    for name in ("fsync", "fdatasync"):
        setattr(os, name, syncing(rules, getattr(os, name)))
    setattr(os, "open", opening(rules, os.open))  # noqa: B010 - mypy knows what it was
    for operation, names in {
        "rename": ("rename", "replace"),
        "remove": ("unlink", "remove", "rmdir"),
        "mkdir": ("mkdir",),
        "allocate": ("posix_fallocate",),
        "truncate": ("truncate", "ftruncate"),
    }.items():
        for name in names:
            setattr(os, name, simple(rules, operation, getattr(os, name)))


def replace_clock(path: str) -> None:
    """Let `time.time` be wrong by what the file says; whoever maps it sees a change at once."""
    with open(path, "rb") as file:
        shared = mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ)
    real, read = time.time, struct.Struct("=d").unpack_from

    def wrong() -> float:
        return real() + float(read(shared)[0])

    time.time = wrong


if CLOCK := os.environ.get("INJECT_CLOCK", ""):  # first, before anybody has asked for the time
    replace_clock(CLOCK)
if ROOT:
    replace_files(Rules(os.environ["INJECT_RULES"], os.environ.get("INJECT_SEEN", "")))
