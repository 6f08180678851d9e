"""Patterns over octets which may be more than memory should hold.

    for found in matches(pattern, body.pieces()): ...
    body = replaced(pattern, body, lambda found: "new")       None: that changes nothing

What is no longer than a window is searched in one piece. More is searched through a window which
moves on, with BOUND octets seen twice: a match which needs no more than BOUND octets, with what it
looks at behind itself, is found as in the whole; a longer one may be cut short, or missed. LOOK
octets before it stay in sight, for what looks behind.

Patterns are of `str`: each octet is a character, unless the codec says that characters are UTF-8.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from angarium.core.body import Body, MemoryBody

WINDOW: Final = 1 << 20
BOUND: Final = 1 << 16
LOOK: Final = 1 << 10
OCTETS: Final = "latin-1"

Expand = Callable[[re.Match[str]], str]


def matches(
    pattern: re.Pattern[str], pieces: Iterable[bytes], codec: str = OCTETS, *, window: int = WINDOW
) -> Iterator[re.Match[str]]:
    """Yield all matches. Each keeps its window alive, and has positions in it: take the groups."""
    for found, _ in _Search(pattern, pieces, codec, window).run():
        if found is not None:
            yield found


def replaced(
    pattern: re.Pattern[str],
    body: Body,
    expand: Expand,
    codec: str = OCTETS,
    *,
    window: int = WINDOW,
    ended: bool = False,
) -> Body | None:
    """Return a body in which each match is replaced, or None if that changes nothing.

    A large one is not kept: it is made again each time it is read.

    Args:
        expand: gives the replacement of a match, the same each time.
        ended: it is that of a message, so that the line with the dot which ends it on the wire may
            be matched too, with the line end before it: so scripts append to a message.
    """

    def run() -> Iterator[bytes]:
        search = _Search(pattern, body.pieces(), codec, window)
        for found, before in search.run():
            text = before if found is None else before + expand(found)
            if text:
                yield text.encode(codec, "surrogateescape")
        if rest := _over_the_end(pattern, search, expand) if ended else search.rest:
            yield rest.encode(codec, "surrogateescape")

    if body.size <= window:
        octets = b"".join(run())
        return None if octets == body.whole() else MemoryBody(octets)
    if next(matches(pattern, body.pieces(), codec, window=window), None) is None and not ended:
        return None
    made = _Made(run)
    return None if made.size == body.size and _same(made, body) else made


class _Made:
    """A body which is made when it is read."""

    __slots__ = ("_make", "size")

    def __init__(self, make: Callable[[], Iterator[bytes]]) -> None:
        self._make = make
        self.size = sum(map(len, make()))

    def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
        return self._make()

    def whole(self) -> bytes:
        return b"".join(self._make())


def _same(one: Body, other: Body) -> bool:
    """Say whether two bodies of one size are the same, whatever pieces they come in."""
    ours, theirs = b"", b""
    pieces = other.pieces()
    for piece in one.pieces():
        ours += piece
        while len(theirs) < len(ours):
            theirs += next(pieces)
        if not theirs.startswith(ours):
            return False
        ours, theirs = b"", theirs[len(ours) :]
    return True


class _Search:
    """Goes once through the pieces; `rest` is what then is behind the last match."""

    def __init__(
        self, pattern: re.Pattern[str], pieces: Iterable[bytes], codec: str, window: int
    ) -> None:
        self._pattern = pattern
        self._pieces = pieces
        self._decode = codecs.getincrementaldecoder(codec)("surrogateescape")
        self._window = window
        self.text = ""
        self.at = 0  # up to here all is handed on

    @property
    def rest(self) -> str:
        return self.text[self.at :]

    def run(self) -> Iterator[tuple[re.Match[str] | None, str]]:
        """Yield each match with the text before it, or text without one."""
        came: list[str] = []
        size = 0
        for piece in self._pieces:
            came.append(self._decode.decode(piece))
            size += len(piece)
            if size > self._window + BOUND:
                self.text = "".join([self.text, *came])
                yield from self._some(len(self.text) - BOUND)
                came, size = [], len(self.text)
        self.text = "".join([self.text, *came, self._decode.decode(b"", final=True)])
        for found in self._pattern.finditer(self.text, self.at):
            yield found, self.text[self.at : found.start()]
            self.at = found.end()

    def _some(self, limit: int) -> Iterator[tuple[re.Match[str] | None, str]]:
        """Take the matches which begin before the limit, and move on to there."""
        for found in self._pattern.finditer(self.text, self.at):
            if found.start() >= limit:
                break
            yield found, self.text[self.at : found.start()]
            self.at = found.end()
        if self.at < limit:
            yield None, self.text[self.at : limit]
            self.at = limit
        cut = max(self.at - LOOK, 0)
        self.text = self.text[cut:]
        self.at -= cut


def _over_the_end(pattern: re.Pattern[str], search: _Search, expand: Expand) -> str:
    """Return the rest, in which a match that covers the end of the data is replaced.

    It must have the dot and both line ends around it, and may have more before.
    """
    text, at = search.text, search.at
    dot = ".\r\n" if text.endswith("\r\n") else "\r\n.\r\n"
    whole = text + dot
    found = pattern.search(whole, at)
    if found is None or found.end() < len(whole) or found.start() > len(whole) - 5:
        return text[at:]
    made = whole[at : found.start()] + expand(found)
    return made[:-3] if made.endswith("\r\n.\r\n") else made
