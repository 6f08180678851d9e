"""The files of a configuration: the main one, what it includes, and the local changes.

All octets are read once, through `Sources`; a snapshot of what was read gives the very same
configuration in another process, also when the files have changed meanwhile. The grammar of a file
is `grammar`, what its stanzas mean is `check`.
"""

import errno
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from angarium.config.errors import ConfigError, Fault
from angarium.config.grammar import File, Include, Item, Setting, Stanza, parse

SEARCH_PATH: Final = (
    "/opt/msys/ecelerity/etc",
    "/opt/msys/ecelerity/etc/conf/global",
    "/opt/msys/ecelerity/etc/conf/default",
)
NODE_CONF: Final = "/opt/msys/ecelerity/etc/conf"  # what one node of a cluster has for itself
SEARCH_VARIABLE: Final = "EC_CONF_SEARCH_PATH"
NODE_VARIABLE: Final = "EC_NODE_NAME"  # set for a node of a cluster
LOCAL_CHANGES: Final = "/opt/msys/ecelerity/etc/local_changes.conf"
MAX_INCLUDE_DEPTH: Final = 16
MAX_FILE: Final = 512 * 1024 * 1024  # octets of one; 100,000 stanzas have 20 million
MAX_FAULTS: Final = 1000  # of the includes of one file; then it is no use to go on
LEADS_ON: Final = re.compile(rb"include|local_changes_file", re.IGNORECASE)
SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


class Sources(Protocol):
    """Where octets come from."""

    def read(self, path: str) -> bytes:
        """Return what a file holds. Raises OSError."""
        ...

    def listing(self, path: str) -> Sequence[str] | None:
        """Return the names of the files of a directory, None if it is none."""
        ...


class Snapshot(msgspec.Struct, frozen=True, tag="angarium-configuration-1"):
    """All that was read to build a configuration; a `Sources` itself."""

    main: str
    search: tuple[str, ...]
    files: dict[str, bytes]
    directories: dict[str, tuple[str, ...]]
    errors: dict[str, int] = {}  # of files which are there and cannot be read

    def read(self, path: str) -> bytes:
        found = self.files.get(path)
        if found is None:
            number = self.errors.get(path, errno.ENOENT)
            raise OSError(number, said(number), path)
        return found

    def listing(self, path: str) -> Sequence[str] | None:
        return self.directories.get(path)


class Disk:
    """The files themselves; notes all that was read, and what could not be."""

    __slots__ = ("directories", "errors", "files")

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.directories: dict[str, tuple[str, ...]] = {}
        self.errors: dict[str, int] = {}

    def read(self, path: str) -> bytes:
        if path not in self.files:
            try:
                self.files[path] = octets_of(path)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                    self.errors[path] = error.errno or errno.EIO
                raise
        return self.files[path]

    def listing(self, path: str) -> Sequence[str] | None:
        if path not in self.directories:
            try:
                with os.scandir(path) as entries:
                    names = sorted(each.name for each in entries if each.is_file())
            except NotADirectoryError:
                return None
            except OSError as error:
                if error.errno != errno.ENOENT:
                    self.errors[path] = error.errno or errno.EIO
                raise
            self.directories[path] = tuple(names)
        return self.directories[path]


def octets_of(path: str) -> bytes:
    """Return what a file holds. A pipe would never end, nor would a device: they are no files.

    Raises:
        OSError: with ENOTSUP, EFBIG for what is no file or too large.
    """
    # Without waiting, or a pipe nobody writes to would hold up who opens it.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        kind = os.fstat(file.fileno()).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, said(errno.EISDIR), path)
        if not stat.S_ISREG(kind):
            raise OSError(errno.ENOTSUP, said(errno.ENOTSUP), path)
        octets = file.read(MAX_FILE + 1)
    if len(octets) > MAX_FILE:
        raise OSError(errno.EFBIG, said(errno.EFBIG), path)
    return octets


def said(number: int) -> str:
    """Return what an error of the system is called."""
    return "it is no regular file" if number == errno.ENOTSUP else os.strerror(number)


@dataclass(slots=True)
class Document:
    """The files of one configuration, in the order they were first read."""

    main: File
    files: dict[str, File] = field(default_factory=dict)
    included: dict[Include, tuple[File, ...]] = field(default_factory=dict)
    readonly: set[str] = field(default_factory=set)  # paths to which no change is written
    local: File | None = None  # read after all others

    def faults(self) -> list[Fault]:
        return [fault for file in self.files.values() for fault in file.faults]


def search_path(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the directories in which included files are looked for.

    A node of a cluster looks into its own before the default ones.
    """
    given = tuple(filter(None, environ.get(SEARCH_VARIABLE, "").split(os.pathsep)))
    node = environ.get(NODE_VARIABLE, "")
    if given or not node or "/" in node:
        return given or SEARCH_PATH
    return (*SEARCH_PATH[:-1], f"{NODE_CONF}/{node}", SEARCH_PATH[-1])


def read(
    main: str,
    sources: Sources,
    search: Sequence[str],
    parse: Callable[[str, bytes], File] = parse,
) -> Document:
    """Read the main file and all it includes. Faults of the files are in them.

    Args:
        parse: `outline`, for who only wants every file to be asked for.

    Raises:
        ConfigError: the main file itself cannot be read.
    """
    try:
        octets = sources.read(main)
    except OSError as error:
        raise ConfigError([Fault(main, 0, 0, f"cannot be read: {error.strerror}")]) from None
    document = Document(parse(main, octets))
    reader = _Reader(document, sources, search, parse)
    reader.file(document.main, ())
    reader.local_changes()
    return document


def outline(path: str, octets: bytes) -> File:
    """Read a file if it leads to others, else leave it unread: most of 100,000 stanzas do not."""
    return parse(path, octets if LEADS_ON.search(octets) else b"")


class _Reader:
    """Follows includes; each file is parsed once, however often it is included."""

    __slots__ = ("_document", "_parse", "_search", "_sources")

    def __init__(
        self,
        document: Document,
        sources: Sources,
        search: Sequence[str],
        parse: Callable[[str, bytes], File],
    ) -> None:
        self._document = document
        self._parse = parse
        self._sources = sources
        self._search = search

    def file(self, file: File, above: tuple[str, ...]) -> None:
        """Read what `file` includes; `above` are the paths that lead to it."""
        self._document.files[file.path] = file
        pending: list[list[Item]] = [file.items]
        while pending:
            for item in pending.pop():
                if isinstance(item, Stanza):
                    pending.append(item.items)
                elif isinstance(item, Include):
                    if len(file.faults) >= MAX_FAULTS:
                        return
                    self._include(file, item, (*above, file.path))

    def _include(self, file: File, item: Include, above: tuple[str, ...]) -> None:
        if len(above) > MAX_INCLUDE_DEPTH:
            file.fault(item.start, f"files include each other more than {MAX_INCLUDE_DEPTH} deep")
            return
        found: list[File] = []
        for path in self._paths(file, item):
            if path in above:
                chain = " -> ".join([*above[above.index(path) :], path])
                file.fault(item.start, f"this file includes itself: {chain}")
                continue
            known = self._document.files.get(path)
            if known is not None or item.readonly:
                self._document.readonly.add(path)
            if known is None:
                known = self._parsed(file, item, path)
                if known is None:
                    continue
                self.file(known, above)
            found.append(known)
        self._document.included[item] = tuple(found)

    def _parsed(self, file: File, item: Include, path: str) -> File | None:
        try:
            return self._parse(path, self._sources.read(path))
        except OSError as error:
            file.fault(item.start, f"{path} cannot be read: {error.strerror}")
            return None

    def _paths(self, file: File, item: Include) -> list[str]:
        """Return the files an include stands for; none, and a fault, if there is no such."""
        target = item.target
        scheme = SCHEME.match(target)
        if scheme is not None:
            if scheme[1].lower() != "file":
                # A server which starts only where another one answers is no good to anybody.
                file.fault(
                    item.start,
                    f"{scheme[1]}:// cannot be included",
                    "fetch it to a file before, and include that",
                )
                return []
            target = target[scheme.end() :]
        if not target or "\0" in target:
            file.fault(item.start, "there is no file to include", 'write include "path"')
            return []
        places = (os.path.dirname(file.path), *self._search)
        for directory in places:
            path = os.path.normpath(os.path.join(directory, target))
            try:
                names = self._sources.listing(path)
                if names is not None:
                    return [os.path.join(path, each) for each in names if each[0] != "."]
                self._sources.read(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                file.fault(item.start, f"{path} cannot be read: {error.strerror}")
                return []
            return [path]
        looked = "" if os.path.isabs(target) else f"looked in {', '.join(filter(None, places))}"
        file.fault(item.start, f"there is no file {target}", looked)
        return []

    def local_changes(self) -> None:
        """Read the file of changes made while running, if there is one."""
        path = LOCAL_CHANGES
        for item in self._document.main.items:
            if isinstance(item, Setting) and item.name == "local_changes_file":
                path = item.value if isinstance(item.value, str) else path
        if path in self._document.files or "\0" in path or not path:
            return
        try:
            octets = self._sources.read(path)
        except (FileNotFoundError, NotADirectoryError):
            return  # It comes into being with the first change.
        except OSError as error:
            # Changes which are there and cannot be read are not to be forgotten.
            self._document.main.fault(0, f"{path} cannot be read: {error.strerror}")
            return
        local = self._parse(path, octets)
        self._document.local = local
        self.file(local, ())
