"""Shorter lines, for receivers and next hops which ask for them.

    Breaker(998).feed(piece)        lines broken, piece by piece

What need not be changed comes back as the same octets.
"""

from typing import Final

from angarium.mail.format.conform import has_long_line
from angarium.mail.format.header import CRLF

_BLANK_WITHIN: Final = 200  # octets before the limit in which a line is rather broken at a blank


class Breaker:
    """Breaks lines which are longer than `limit` octets; pieces may be cut anywhere.

    `broken` says whether there was one, for who wants to refuse instead.
    """

    __slots__ = ("_column", "_fold", "_limit", "broken")

    def __init__(self, limit: int, *, fold: bool = False) -> None:
        self._limit = limit
        self._fold = fold  # a header: what follows a break is a continuation
        self._column = 0  # octets of the line which is begun
        self.broken = False

    def feed(self, piece: bytes) -> bytes:
        first = piece.find(b"\n")
        begun = len(piece) if first < 0 else first - piece.endswith(b"\r", 0, first)
        if self._column + begun <= self._limit and not has_long_line(piece, self._limit):
            self._column = (
                self._column + begun if first < 0 else len(piece) - 1 - piece.rfind(b"\n")
            )
            return piece
        self.broken = True
        lines = piece.split(b"\n")
        out = [self._break(lines[0])]
        for line in lines[1:]:
            self._column = 0
            out.append(self._break(line))
        return b"\n".join(out)

    def _break(self, line: bytes) -> bytes:
        """Break one line, or what of it came; counts the column on."""
        text = line[:-1] if line.endswith(b"\r") else line
        if self._column + len(text) <= self._limit:
            self._column += len(text)
            return line
        out, at = [], 0
        room = self._limit - self._column
        while len(text) - at > room:
            # Where the line has begun before this piece, it may end before it.
            cut = self._place(text, at, at + room, at if room < self._limit else at + 1)
            out.append(text[at:cut])
            at, room = cut, self._limit
            if self._fold and text[at : at + 1] not in (b" ", b"\t"):
                out.append(b"\r\n ")
                room -= 1
            else:
                out.append(CRLF)
        out.append(text[at:])
        self._column = len(text) - at
        return b"".join(out) + line[len(text) :]

    def _place(self, text: bytes, at: int, end: int, least: int) -> int:
        """Return where to break: at a blank if one is near, never inside of a UTF-8 sequence."""
        blank = text.rfind(b" ", max(at + 1, end - _BLANK_WITHIN), end + 1)
        if blank > 0:
            return blank if self._fold else min(blank + 1, end)
        cut = end
        while cut > max(least, end - 4) and text[cut] & 0xC0 == 0x80:
            cut -= 1
        return cut if text[cut] & 0xC0 != 0x80 else end
