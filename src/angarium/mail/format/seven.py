"""8BITMIME made 7 bit, of contents of any size; each part in an encoding which suits it (RFC 6152).

    plan = survey(pieces)               what is to be done; None where there is no 7-bit form
    converted(pieces, plan)             the same pieces again: the octets of the new content

Both walk through the parts in the same way and keep no more than a header and a piece. What need
not be changed comes back as the same octets. Rule: of the lines which could end a part, the one of
the outermost part counts (RFC 2046 section 5.1.2).
"""

import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from angarium.mail.format.header import CRLF, Header
from angarium.mail.format.transfer import quoted_printable

# Parts inside of parts; deeper ones are left as they are (and the message is refused for 7 bit).
MAX_DEPTH: Final = 32
MAX_HEADER: Final = 1 << 20  # octets of a part's header
_MAX_PARTS: Final = 10_000
_LONGEST: Final = 1000  # octets of a line which may be a delimiter
_BASE64_LINE: Final = 57  # octets which make a line of 76, RFC 2045 section 6.8
_PENDING: Final = 65536  # octets of a line for which its end is waited for

_TYPE: Final = re.compile(rb"\s*([!-'*+.0-9A-Z^-~-]+/[!-'*+.0-9A-Z^-~-]+)", re.IGNORECASE)
_BOUNDARY: Final = re.compile(
    rb";\s*boundary\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;\"]+))", re.IGNORECASE
)
_QUOTED_PAIR: Final = re.compile(rb"\\(.)")
_IDENTITY: Final = (b"", b"7bit", b"8bit", b"binary")
_RFC822: Final = (b"message/rfc822", b"message/global")
_OPEN: Final = b"\r\n--"

SAME: Final = b""  # in a plan: leave the part as it is
Plan = Sequence[bytes]  # a Content-Transfer-Encoding for each part, in the order they begin


class Part:
    """A message or a part of one, while it is walked through.

    Attributes:
        number: in the order parts begin.
        text_ascii: of a multipart, what stands before and behind its parts; else the body.
        padding: the end of the delimiter's line has not come yet.
    """

    __slots__ = (
        "ascii", "boundary", "closed", "collected", "depth", "encoding", "head_ascii", "in_head",
        "kind", "nul", "number", "padding", "parts", "text_ascii", "whole_head",
    )  # fmt: skip

    def __init__(self, number: int, depth: int, *, padding: bool = False) -> None:
        self.number = number
        self.depth = depth
        self.padding = padding
        self.in_head = True
        self.collected = b""
        self.whole_head = True
        self.kind = b"text/plain"
        self.encoding = b""
        self.boundary: re.Pattern[bytes] | None = None
        self.closed = False
        self.parts: list[Part] = []
        self.head_ascii = self.text_ascii = self.ascii = True
        self.nul = False

    def begin(self, raw: bytes) -> None:
        """The header is whole."""
        self.in_head = False
        self.collected = b""
        self.head_ascii = raw.isascii()
        header = Header(raw)
        given = header.value(b"content-type") or b""
        found = _TYPE.match(given)
        self.kind = found[1].lower() if found else b"text/plain"
        self.encoding = (header.value(b"content-transfer-encoding") or b"").lower()
        if self.kind.startswith(b"multipart/"):
            boundary = _boundary(given)
            if 0 < len(boundary) < _LONGEST // 2:
                self.boundary = re.compile(b"--" + re.escape(boundary) + rb"(--)?[ \t]*")

    def take(self, text: bytes) -> None:
        """Note what octets outside of the parts within have."""
        self.text_ascii = self.text_ascii and text.isascii()
        self.nul = self.nul or b"\0" in text

    def end(self) -> None:
        self.ascii = self.head_ascii and self.text_ascii and all(each.ascii for each in self.parts)

    def decide(self, plan: list[bytes]) -> bool:
        """Say in the plan what is to be done with this part and those in it; False: it cannot."""
        if self.ascii:
            return True
        if not self.head_ascii or not self.whole_head or self.depth > MAX_DEPTH:
            return False
        if self.encoding not in _IDENTITY:
            return False  # Says it is encoded, and is not: what it means nobody knows.
        if self.kind.startswith(b"multipart/"):
            encoding = b"7bit"
            fit = self.text_ascii and (self.closed or bool(self.parts))
        elif self.kind in _RFC822:
            encoding, fit = b"7bit", True
        else:
            text = self.kind.startswith(b"text/") and not self.nul
            encoding, fit = b"quoted-printable" if text else b"base64", True
        plan[self.number] = encoding
        return fit and all(each.decide(plan) for each in self.parts)


class Walk:
    """Goes through a content and tells what comes; who wants to do something overrides.

    Every octet is told once, in order: by `head`, `text` or `between`.
    """

    def __init__(self) -> None:
        self.top = Part(0, 0)
        self.count = 1
        self._stack = [self.top]
        self._held = b""

    def head(self, part: Part, raw: bytes) -> None:
        """The header of a part, with the empty line which ends it, if there is one."""

    def text(self, part: Part, text: bytes) -> None:
        """Octets of a body which belong to no part within it."""

    def between(self, octets: bytes) -> None:
        """A delimiter."""

    def ended(self, part: Part) -> None:
        """All of a part was told."""

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """Take a piece; pieces may be cut anywhere."""
        buffer, at = self._held + piece, 0
        while True:
            found = buffer.find(_OPEN, at)
            if found < 0:
                found = len(buffer) - (0 if last else _beginning(buffer))
                break
            end = buffer.find(CRLF, found + len(_OPEN))
            if end < 0:
                if not last and len(buffer) - found < _LONGEST:
                    break
                end = len(buffer)
            self._give(buffer[at:found])
            at = self._line(buffer, found, end)
        self._give(buffer[min(at, found) : found])
        self._held = buffer[max(found, at) :]

    def finish(self) -> None:
        """The content is over."""
        self.feed(b"", last=True)
        while self._stack:
            self._pop()

    def _line(self, buffer: bytes, found: int, end: int) -> int:
        """Look at a line which may be a delimiter; return up to where all is told."""
        line = buffer[found + 2 : end] if end - found < _LONGEST else b""
        level = self._level(line, 0)
        start = found
        innermost = self._stack[-1]
        if level < 0 and innermost.in_head and innermost.collected.endswith(CRLF):
            # This CRLF is the empty line behind a header, and begins a delimiter of that part too.
            self._give(CRLF)
            start += 2
            level = self._level(line, self._stack.index(innermost))
        if level < 0:
            self._give(buffer[start : found + len(_OPEN)])
            return found + len(_OPEN)
        while len(self._stack) > level + 1:
            self._pop()
        self.between(buffer[start:end])
        parent = self._stack[-1]
        assert parent.boundary is not None
        matched = parent.boundary.fullmatch(line)
        if matched is not None and matched[1]:
            parent.closed = True
        else:
            self._push(parent, padding=True)
        return end

    def _level(self, line: bytes, first: int) -> int:
        """Return which open part the line is a delimiter of, from `first` inwards; -1: of none."""
        for level in range(first, len(self._stack)):
            part = self._stack[level]
            if part.boundary is not None and not part.closed and part.boundary.fullmatch(line):
                return level
        return -1

    def _push(self, parent: Part, *, padding: bool = False) -> Part:
        part = Part(self.count, parent.depth + 1, padding=padding)
        self.count += 1
        if self.count <= _MAX_PARTS:
            parent.parts.append(part)
        self._stack.append(part)
        return part

    def _pop(self) -> None:
        part = self._stack.pop()
        if part.in_head and not part.padding:
            raw, part.collected = part.collected, b""
            part.head_ascii, part.in_head = raw.isascii(), False
            self.head(part, raw)
        part.end()
        self.ended(part)

    def _give(self, octets: bytes) -> None:
        """Give octets to the innermost part."""
        part = self._stack[-1]
        if part.padding and octets:
            # The delimiter's line ends; what is behind it begins the part.
            part.padding = False
            self.between(octets[:2])
            octets = octets[2:]
        if not octets:
            return
        if part.in_head:
            self._give(self._head(part, octets))  # to the body, or to the message in this one
            return
        part.take(octets)
        self.text(part, octets)

    def _head(self, part: Part, octets: bytes) -> bytes:
        """Collect the header; return what is of the body, if it has ended."""
        seen = max(len(part.collected) - 3, 0)
        collected = part.collected + octets
        size = 2 if collected.startswith(CRLF) else collected.find(b"\r\n\r\n", seen) + 4
        if size == 3:  # There is no end.
            if len(collected) <= MAX_HEADER:
                part.collected = collected
                return b""
            part.whole_head, size = False, len(collected)
        raw = collected[:size]
        part.begin(raw[:-2] if part.whole_head else raw)
        self.head(part, raw)
        if part.kind in _RFC822 and part.depth < MAX_DEPTH and part.whole_head:
            self._push(part)
        return collected[size:]


class _Converter(Walk):
    """Writes the new content to `out`."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan
        self._encoders: dict[int, _QuotedPrintable | _Base64] = {}
        self.out: list[bytes] = []

    def taken(self) -> bytes:
        out = b"".join(self.out)
        self.out.clear()
        return out

    def head(self, part: Part, raw: bytes) -> None:
        encoding = self._plan[part.number]
        if encoding == SAME:
            self.out.append(raw)
            return
        if encoding == b"quoted-printable":
            self._encoders[part.number] = _QuotedPrintable()
        elif encoding == b"base64":
            self._encoders[part.number] = _Base64()
        self.out.append(_with_encoding(raw[:-2], encoding, top=part.depth == 0) + CRLF)

    def text(self, part: Part, text: bytes) -> None:
        encoder = self._encoders.get(part.number)
        self.out.append(text if encoder is None else encoder.feed(text))

    def between(self, octets: bytes) -> None:
        self.out.append(octets)

    def ended(self, part: Part) -> None:
        encoder = self._encoders.pop(part.number, None)
        if encoder is not None:
            self.out.append(encoder.finish())


class _QuotedPrintable:
    """Encodes line by line."""

    def __init__(self) -> None:
        self._line = b""

    def feed(self, text: bytes) -> bytes:
        text = self._line + text
        end = text.rfind(b"\n") + 1
        out = quoted_printable(text[:end])
        if len(text) - end > _PENDING:
            # A line which does not end is broken softly, as any other.
            out += quoted_printable(text[end:]) + b"=\r\n"
            end = len(text)
        self._line = text[end:]
        return out

    def finish(self) -> bytes:
        return quoted_printable(self._line)


class _Base64:
    """Encodes in lines of 76."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, octets: bytes) -> bytes:
        octets = self._left + octets
        whole = len(octets) - len(octets) % _BASE64_LINE
        self._left = octets[whole:]
        return b"".join(
            _base64(octets[at : at + _BASE64_LINE]) for at in range(0, whole, _BASE64_LINE)
        )

    def finish(self) -> bytes:
        return _base64(self._left) if self._left else b""


def _beginning(buffer: bytes) -> int:
    """Return how many octets at the end may begin a delimiter, or be half of a CRLF."""
    for size in (3, 2, 1):
        if buffer.endswith(_OPEN[:size]):
            return size
    return 0


def _base64(octets: bytes) -> bytes:
    return binascii.b2a_base64(octets, newline=False) + CRLF


def _boundary(content_type: bytes) -> bytes:
    found = _BOUNDARY.search(content_type)
    if found is None:
        return b""
    quoted, plain = found.groups()
    return plain if quoted is None else _QUOTED_PAIR.sub(rb"\1", quoted)


def _with_encoding(raw: bytes, encoding: bytes, *, top: bool) -> bytes:
    """Return the header with another Content-Transfer-Encoding, behind the other fields."""
    header = Header(raw)
    field = b"Content-Transfer-Encoding: " + encoding + CRLF
    raw = header.without(b"content-transfer-encoding")
    if raw and not raw.endswith(CRLF):
        raw += CRLF
    if top and header.value(b"mime-version") is None:
        raw += b"MIME-Version: 1.0\r\n"
    return raw + field


def survey(pieces: Iterable[bytes]) -> Plan | None:
    """Return what is to be done with each part, or None if there is no 7-bit form.

    There is none where a header has octets over 127, or where parts are nested too deep, are too
    many or have no proper end.
    """
    walk = Walk()
    for piece in pieces:
        walk.feed(piece)
    walk.finish()
    plan = [SAME] * walk.count
    if walk.count > _MAX_PARTS or not walk.top.decide(plan):
        return None
    return plan


def converted(pieces: Iterable[bytes], plan: Plan) -> Iterator[bytes]:
    """Yield the new content."""
    walk = _Converter(plan)
    for piece in pieces:
        walk.feed(piece)
        if out := walk.taken():
            yield out
    walk.finish()
    if out := walk.taken():
        yield out


def seven_bit(content: bytes) -> bytes | None:
    """Return a whole message in 7 bit, or None if it cannot be had."""
    plan = survey((content,))
    return None if plan is None else b"".join(converted((content,), plan))
