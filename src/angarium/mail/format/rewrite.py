"""Changes to a content which a receiver or a next hop asks for: shorter lines, 7 bit.

    Breaker(998).feed(piece)        lines broken, piece by piece
    seven_bit(pieces)               8BITMIME made 7 bit, each part in the encoding which suits it

What need not be changed comes back as the same octets.
"""

import binascii
import re
from typing import Final

from angarium.mail.format.conform import has_long_line
from angarium.mail.format.header import CRLF, Header, limits

# Parts inside of parts; deeper ones are left as they are (and the message is refused for 7 bit).
MAX_DEPTH: Final = 32
_MAX_PARTS: Final = 10_000
_BLANK_WITHIN: Final = 200  # octets before the limit in which a line is rather broken at a blank
_BASE64_LINE: Final = 57  # octets which make a line of 76, RFC 2045 section 6.8

_TYPE: Final = re.compile(rb"\s*([!-'*+.0-9A-Z^-~-]+/[!-'*+.0-9A-Z^-~-]+)", re.IGNORECASE)
_BOUNDARY: Final = re.compile(
    rb";\s*boundary\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;\"]+))", re.IGNORECASE
)
_QUOTED_PAIR: Final = re.compile(rb"\\(.)")
_IDENTITY: Final = (b"", b"7bit", b"8bit", b"binary")


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


def seven_bit(content: bytes) -> bytes | None:
    """Return a message in 7 bit (RFC 6152 section 3), or None if it cannot be had.

    It cannot where the header itself has octets over 127, or where parts are nested too deep or
    have no proper end. What is 7 bit stays as it is, octet by octet.
    """
    return _Converter().entity(content, depth=0)


class _Converter:
    """One conversion; bounds what a hostile message may cost."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts = 0

    def entity(self, content: bytes, depth: int) -> bytes | None:
        """Convert a message or a part: header and body."""
        if content.isascii() and depth > 0:
            return content
        self._parts += 1
        size, start = limits(content)
        head, body = content[:size], content[start:]
        if not head.isascii() or depth > MAX_DEPTH or self._parts > _MAX_PARTS:
            return None
        if body.isascii():
            return content
        header = Header(head)
        given = header.value(b"content-type")
        found = _TYPE.match(given) if given else None
        kind = found[1].lower() if found else b"text/plain"
        encoding = (header.value(b"content-transfer-encoding") or b"").lower()
        if encoding not in _IDENTITY:
            # Says it is encoded, and is not: what it means nobody knows.
            return None
        if kind.startswith(b"multipart/"):
            new, encoding = self._multipart(body, _boundary(given or b""), depth), b"7bit"
        elif kind in (b"message/rfc822", b"message/global"):
            new, encoding = self.entity(body, depth + 1), b"7bit"
        elif kind.startswith(b"text/") and b"\0" not in body:
            new, encoding = _quoted_printable(body), b"quoted-printable"
        else:
            new, encoding = _base64(body), b"base64"
        if new is None:
            return None
        return _with_encoding(header, encoding, top=depth == 0) + CRLF + new

    def _multipart(self, body: bytes, boundary: bytes, depth: int) -> bytes | None:
        """Convert each part; what stands before and after the parts must be ASCII."""
        if not boundary:
            return None
        # delimiter := CRLF "--" boundary; the CRLF belongs to it (RFC 2046 section 5.1.1).
        delimiter = b"\r\n--" + boundary
        pieces = re.split(re.escape(delimiter) + rb"(?=(?:--)?[ \t]*(?:\r\n|\Z))", CRLF + body)
        if len(pieces) == 1 or not pieces[0].isascii():
            return None
        out = [pieces[0]]
        closed = False
        for piece in pieces[1:]:
            closed = closed or piece.startswith(b"--")
            padding, end, part = piece.partition(CRLF)
            if closed:
                new = piece if piece.isascii() else None
            else:
                new = self.entity(part, depth + 1)
                new = None if new is None else padding + end + new
            if new is None:
                return None
            out.append(new)
        return delimiter.join(out)[2:]


def _boundary(content_type: bytes) -> bytes:
    found = _BOUNDARY.search(content_type)
    if found is None:
        return b""
    quoted, plain = found.groups()
    return plain if quoted is None else _QUOTED_PAIR.sub(rb"\1", quoted)


def _with_encoding(header: Header, encoding: bytes, *, top: bool) -> bytes:
    """Return the header with another Content-Transfer-Encoding, in the place of the old one."""
    field = b"Content-Transfer-Encoding: " + encoding + CRLF
    raw = header.without(b"content-transfer-encoding")
    if raw and not raw.endswith(CRLF):
        raw += CRLF
    if top and header.value(b"mime-version") is None:
        raw += b"MIME-Version: 1.0\r\n"
    return raw + field


def _quoted_printable(body: bytes) -> bytes:
    # Knows LF only; where it sees a CRLF first it writes CRLF for soft breaks too.
    text = binascii.b2a_qp(body.replace(CRLF, b"\n"), istext=True)
    return text.replace(b"\n", CRLF)


def _base64(body: bytes) -> bytes:
    lines = (
        binascii.b2a_base64(body[at : at + _BASE64_LINE], newline=False)
        for at in range(0, len(body), _BASE64_LINE)
    )
    return CRLF.join(lines) + CRLF
