"""All files of a configuration as one: each include is replaced by what it stands for.

The comments and the layout of each file stay. Where a file begins and ends is told in comments, so
the result may be taken apart again. It means the same as the files do.
"""

from typing import Final

import msgspec

from angarium.config.edit import Style
from angarium.config.grammar import File, Include, Item, Stanza
from angarium.config.tree import Document, Snapshot, read
from angarium.core.errors import Error

MAX_SIZE: Final = 1 << 28  # characters: files which include each other twice double at each level


class FlattenError(Error):
    """A configuration which is too large as one file."""


def flattened(snapshot: bytes) -> bytes:
    """Return a snapshot as one file.

    Raises:
        ConfigError: its main file is missing.
        FlattenError: it would be larger than MAX_SIZE.
    """
    taken = msgspec.msgpack.decode(snapshot, type=Snapshot)
    document = read(taken.main, taken, taken.search)
    flat = _Flat(document)
    flat.file(document.main)
    if document.local is not None:
        flat.part(document.local)
    return "".join(flat.pieces).encode("utf-8", "surrogateescape")


class _Flat:
    """Collects the text. `eol` is that of the main file."""

    __slots__ = ("_document", "_eol", "_size", "pieces")

    def __init__(self, document: Document) -> None:
        self.pieces: list[str] = []
        self._document = document
        self._eol = Style.of(document.main.text).eol
        self._size = 0

    def file(self, file: File) -> None:
        at = 1 if self._size and file.text.startswith("\ufeff") else 0
        for item in _includes(file.items):
            self._put(file.text[at : item.start])
            for included in self._document.included.get(item, ()):
                self.part(included)
            at = item.end
        self._put(file.text[at:])

    def part(self, file: File) -> None:
        """Put a file between lines which name it; they end whatever comment it ends with."""
        name = file.path.encode("unicode_escape").decode()
        self._put(f"{self._eol}# from {name}{self._eol}")
        self.file(file)
        self._put(f"{self._eol}# end of {name}{self._eol}")

    def _put(self, text: str) -> None:
        self._size += len(text)
        if self._size > MAX_SIZE:
            raise FlattenError(f"as one file it is larger than {MAX_SIZE} characters")
        self.pieces.append(text)


def _includes(items: list[Item]) -> list[Include]:
    """Return all includes in the order of the text."""
    found: list[Include] = []
    pending: list[Item] = list(reversed(items))
    while pending:
        item = pending.pop()
        if isinstance(item, Include):
            found.append(item)
        elif isinstance(item, Stanza):
            pending.extend(reversed(item.items))
    return found
