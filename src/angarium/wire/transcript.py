"""What two sides of SMTP say to each other, as lines for people; without contents and secrets.

    transcript.client(b"EHLO a.test\\r\\n")      ["C: EHLO a.test"]
    transcript.server(b"250 b.test\\r\\n")       ["S: 250 b.test"]

A content is told by its size. What follows AUTH is hidden until the server has answered. The rule:
what is kept is bounded, whatever is said.
"""

import re
from typing import Final

MAX_LINE: Final = 1024  # octets of a line that are shown
HIDDEN: Final = "********"
_END: Final = b"\r\n.\r\n"
_BDAT: Final = re.compile(rb"BDAT +([0-9]{1,15})(?: +LAST)?\r?\n?", re.IGNORECASE)
_AUTH: Final = re.compile(r"(AUTH +\S+) +\S.*", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Transcript:
    """One connection."""

    __slots__ = ("_asked", "_chunk", "_content", "_secret", "_size", "_tail", "_theirs")

    def __init__(self) -> None:
        self._asked = b""  # of the client, the beginning of a line
        self._theirs = b""  # of the server
        self._content = False  # a content is coming, up to its dot
        self._chunk = 0  # octets of BDAT which are still to come
        self._size = 0  # of the content so far
        self._tail = b""  # the last octets of the content, for its end
        self._secret = False

    def client(self, octets: bytes) -> list[str]:
        """Return the lines which the client has said."""
        said: list[str] = []
        left = octets
        while left:
            if self._chunk:
                left = self._took_chunk(left, said)
            elif self._content:
                left = self._took_content(left, said)
            else:
                left = self._took_line(left, said)
        return said

    def _took_chunk(self, left: bytes, said: list[str]) -> bytes:
        taken = min(self._chunk, len(left))
        self._chunk -= taken
        self._size += taken
        if not self._chunk:
            self._told_size(said)
        return left[taken:]

    def _took_content(self, left: bytes, said: list[str]) -> bytes:
        before = len(self._tail)
        seen = self._tail + left
        at = seen.find(_END)
        if at < 0:
            self._size += len(left)
            self._tail = seen[-(len(_END) - 1) :]
            return b""
        end = at + len(_END)
        self._size += end - before
        self._content, self._tail = False, b""
        self._told_size(said)
        return seen[end:]

    def _told_size(self, said: list[str]) -> None:
        said.append(f"C: ({self._size} octets of content)")
        self._size = 0

    def _took_line(self, left: bytes, said: list[str]) -> bytes:
        line, end, rest = left.partition(b"\n")
        self._asked = (self._asked + line)[: MAX_LINE + 1]
        if end:
            asked, self._asked = self._asked, b""
            chunk = _BDAT.fullmatch(asked)
            self._chunk = int(chunk[1]) if chunk is not None else 0
            said.append(f"C: {self._masked(asked)}")
        return rest

    def _masked(self, line: bytes) -> str:
        if self._secret:
            return HIDDEN
        text = shown(line)
        self._secret = text.upper().startswith("AUTH ")
        return _AUTH.sub(rf"\1 {HIDDEN}", text)

    def server(self, octets: bytes) -> list[str]:
        """Return the lines which the server has said."""
        *lines, self._theirs = (self._theirs + octets).split(b"\n")
        self._theirs = self._theirs[: MAX_LINE + 1]
        for line in lines:
            if line[3:4] in (b" ", b"\r", b""):
                self._secret = self._secret and line.startswith(b"334")
                # A content begins as if a line had ended: its dot may be the first thing.
                self._content = line.startswith(b"354")
                self._tail = b"\r\n" if self._content else b""
        return [f"S: {shown(line)}" for line in lines]


def shown(line: bytes) -> str:
    """Return a line as a terminal may have it."""
    text = line[:MAX_LINE].decode("utf-8", "replace").rstrip("\r")
    return _CONTROL.sub("?", text) + ("..." if len(line) > MAX_LINE else "")
