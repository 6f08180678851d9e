"""Replies as a peer sends them: bytes in, `Reply` out (RFC 5321 section 4.2, RFC 2034).

The rule which keeps it simple: a reply is cleaned here and nowhere else. What comes out holds no
control character, is bounded in size, and has its enhanced code taken out of the text.

    reader.feed(data)      the replies that became whole, in order
    reader.fault           why nothing more is read; the connection has to go
"""

import re
from typing import Final

from angarium.core.reply import Reply

# RFC 5321 section 4.5.3.1.5 allows 512 octets a line; peers exceed it with explanations.
MAX_LINE: Final = 2048
# An EHLO reply of a large server has some 20 lines, an explained refusal about as many.
MAX_LINES: Final = 100
# Replies of one peer that are kept to be recognised: those of MAIL, RCPT and DATA.
_KEPT: Final = 16
_KEPT_LINE: Final = 80

# Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
_LINE: Final = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)
_ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: |$)")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class ReplyReader:
    """Reads replies of one connection; any cutting of the input gives the same replies.

    A line may end in LF alone: some servers do so, and a reply carries nothing that another
    reading of line ends could smuggle in.

    Args:
        most: lines of one reply.
    """

    __slots__ = ("_codes", "_held", "_known", "_lines", "_most", "fault")

    def __init__(self, most: int = MAX_LINES) -> None:
        self.fault = ""
        self._most = most
        self._held = b""  # The beginning of a line.
        self._lines: list[str] = []  # Of a reply with more lines to come.
        self._codes: list[str] = []  # Their enhanced codes.
        self._known: dict[bytes, Reply] = {}  # Most replies of a session were there before.

    @property
    def inside(self) -> bool:
        """Whether a reply has begun and is not whole."""
        return bool(self._held or self._lines)

    def feed(self, data: bytes) -> list[Reply]:
        """Return the replies which became whole; after a fault there are no more."""
        if self.fault:
            return []
        lines = (self._held + data if self._held else data).split(b"\n")
        self._held = lines.pop()
        replies = []
        for line in lines:
            if (known := self._known.get(line)) is not None and not self._lines:
                replies.append(known)
                continue
            reply = self._read(line)
            if reply is not None:
                replies.append(reply)
            elif not self._lines:  # Neither whole nor begun: it is spoiled.
                return replies
        if len(self._held) > MAX_LINE:
            self._spoil("reply line too long")
        return replies

    def _spoil(self, why: str) -> None:
        self.fault = why
        self._held = b""
        self._lines = []

    def _read(self, line: bytes) -> Reply | None:
        found = _LINE.fullmatch(line.rstrip(b"\r"))
        if found is None or len(line) > MAX_LINE:
            self._spoil("reply line too long" if found else "malformed reply")
            return None
        whole = not self._lines and found[2] != b"-"
        text = _CONTROL.sub(" ", (found[3] or b"").decode("utf-8", "replace"))
        code = ""
        # Only a code of the class of the reply is one; else it is text (RFC 2034 section 4).
        if (enhanced := _ENHANCED.match(text)) and ord(text[0]) == found[1][0]:
            code, text = enhanced[1], text[enhanced.end() :]
        self._lines.append(text)
        self._codes.append(code)
        if found[2] == b"-":
            if len(self._lines) >= self._most:
                self._spoil("reply has too many lines")
            return None
        # Where the lines disagree the last one counts: it is the one that ends the reply.
        codes = [each for each in self._codes if each]
        reply = Reply(int(found[1]), "\n".join(self._lines), codes[-1] if codes else "")
        self._lines, self._codes = [], []
        if whole and len(self._known) < _KEPT and len(line) < _KEPT_LINE:
            self._known[line] = reply
        return reply
