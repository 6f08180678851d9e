"""The parts of a message (RFC 2046): found when they are asked for, edited in place.

    top = tree(draft)                       to read; tree(draft, readonly=False) to edit
    for part in top.walk(): part.kind, part.body
    top.add_last(leaf("text/plain", b"by the way\\r\\n"))

Parts are slices of the octets; of what is edited all else stays as it is, delimiters too. Edits
are edits of the draft: it asks for the new body when that is wanted.

What mail readers disagree about is read so: delimiters are whole lines, trailing blanks apart; a
part without its end goes up to the end of what it is in; a multipart without a delimiter is a
leaf. Parts deeper or more than the bounds are left in one piece.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from angarium.core.errors import Error
from angarium.mail.format import parameters
from angarium.mail.format.conform import EMPTY_LINE, with_crlf
from angarium.mail.format.draft import BEGINS, Draft
from angarium.mail.format.fields import Fields, Head
from angarium.mail.format.header import CRLF
from angarium.mail.format.parameters import Parsed
from angarium.mail.format.transfer import IDENTITY

MAX_DEPTH: Final = 32
MAX_PARTS: Final = 10_000
_MESSAGES: Final = frozenset(("message/rfc822", "message/global"))


class MimeError(Error):
    """An edit which cannot be made."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a part is, by its header.

    Attributes:
        mimetype: in lower case.
        charset: as it is named; "" if it is not.
        encoding: the Content-Transfer-Encoding, in lower case; 7bit if there is none.
        filename: that of Content-Disposition, else the name of Content-Type.
        is_attachment: it is said to be one, or has a filename.
    """

    mimetype: str
    charset: str
    encoding: str
    is_attachment: bool
    filename: str


@dataclass(slots=True)
class _Bounds:
    """How many parts may still be found."""

    left: int = MAX_PARTS


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a part lies in the body of the one it is in."""

    octets: bytes
    start: int
    body: int
    end: int


class Part:
    """A part of a message, or the message itself, which is the top of its parts.

    Attributes:
        header: its fields, to be read and edited; those of the top are the draft's.
        parent: what it is in; None for the top, and for what is in no tree.
    """

    def __init__(
        self,
        header: Draft | Head | bytes,
        body: bytes | None,
        *,
        gap: bytes = CRLF,
        found: "_Span | None" = None,
        depth: int = 0,
    ) -> None:
        self.header: Draft | Head = (
            Head(Fields(header), self._change) if isinstance(header, bytes) else header
        )
        self.parent: Part | None = None
        self._span = found  # where it was found, while nothing in it is changed
        self._gap = gap  # between header and body
        self._kept = body  # the body; None: to be cut from the span, or made of the parts
        self._depth = depth
        self._bounds = _Bounds()
        self._children: list[Part] | None = None
        self._lead: bytes | None = None  # the delimiter before it; None: to be made
        self._place = 0  # among those of its parent
        self._preamble = b""
        self._tail = b""  # the closing delimiter and what follows
        self._boundary = b""  # of the delimiters which were found
        self._default = parameters.TEXT
        self._known: tuple[bytes, Parsed] | None = None  # a Content-Type, and what it says

    # What it is.

    @property
    def _type(self) -> Parsed:
        field = self.header.value("content-type")
        if field is None:
            return Parsed(self._default, {})
        known = self._known
        if known is None or known[0] != field:
            self._known = known = (field, parameters.content_type(field))
        return known[1]

    @property
    def kind(self) -> Kind:
        """What it is, by its header as it is now."""
        found = self._type
        shown = parameters.disposition(self.header.value("content-disposition"))
        filename = shown.get("filename") or found.get("name")
        attached = bool(filename) or shown.value == "attachment"
        return Kind(found.value, found.get("charset"), self.encoding, attached, filename)

    @property
    def encoding(self) -> str:
        """The Content-Transfer-Encoding in lower case; 7bit if there is none."""
        value = self.header.value("content-transfer-encoding") or b"7bit"
        return value.partition(b";")[0].strip().lower().decode("ascii", "replace")

    @property
    def readonly(self) -> bool:
        top = self.top
        return top.readonly if isinstance(top, Top) else False

    @property
    def top(self) -> "Part":
        part = self
        while part.parent is not None:
            part = part.parent
        return part

    # The parts in it.

    @property
    def parts(self) -> "list[Part]":
        """Those directly in it, in their order; none if it is a leaf."""
        if self._children is None:
            self._children = self._find()
            _number(self._children, self)
        return self._children

    @property
    def is_container(self) -> bool:
        """Whether it holds parts between delimiters, so that others can be added."""
        self.parts  # noqa: B018
        return bool(self._boundary)

    @property
    def thread(self) -> "Part | None":
        """The next one in the order of the message, its own parts first."""
        if self.parts:
            return self.parts[0]
        part = self
        while part.parent is not None:
            beside = part.parent.parts
            if part._place + 1 < len(beside):
                return beside[part._place + 1]
            part = part.parent
        return None

    def walk(self) -> "Iterator[Part]":
        """Yield it and all in it, in the order of the message."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def _find(self) -> "list[Part]":
        found = self._type
        message = found.value in _MESSAGES
        boundary = found.get("boundary").encode("utf-8", "surrogateescape")
        if not message and not (boundary and found.value.startswith("multipart/")):
            return []
        if self._depth >= MAX_DEPTH or self.encoding not in IDENTITY:
            return []
        if message:
            return [self._part(self.body, 0, len(self.body))] if self._take() else []
        default = "message/rfc822" if found.value == "multipart/digest" else parameters.TEXT
        return self._split(self.body, boundary, default)

    def _split(self, body: bytes, boundary: bytes, default: str) -> "list[Part]":
        children: list[Part] = []
        begun = done = -1  # where a part begins, and where the delimiter before it does
        for start, end, closes in _delimiters(body, boundary):
            if begun < 0:
                self._preamble = body[:start]
            else:
                children.append(self._child(body, done, begun, max(begun, start), default))
            done, begun = max(begun, start), end
            if closes:
                self._tail = body[done:]
                break
            if not self._take():
                children.append(self._child(body, done, begun, len(body), default))
                break
        else:
            if begun < 0:
                return []
            # Not closed: its last part goes up to the end.
            children.append(self._child(body, done, begun, len(body), default))
        self._boundary = boundary
        return children

    def _take(self) -> bool:
        self._bounds.left -= 1
        return self._bounds.left >= 0

    def _child(self, body: bytes, lead: int, start: int, end: int, default: str) -> "Part":
        part = self._part(body, start, end)
        part._lead = body[lead:start]
        part._default = default
        return part

    def _part(self, octets: bytes, start: int, end: int) -> "Part":
        size, body = _cut(octets, start, end)
        header, gap = octets[start:size], octets[size:body]
        if header.count(b"\n") != header.count(CRLF):
            header = with_crlf(header)
        span = _Span(octets, start, body, end)
        part = Part(header, None, gap=gap, found=span, depth=self._depth + 1)
        part._bounds = self._bounds
        return part

    # Its octets.

    @property
    def body(self) -> bytes:
        """The body as it is sent, not decoded."""
        if self._kept is None:
            span = self._span
            self._kept = self._joined() if span is None else span.octets[span.body : span.end]
        return self._kept

    @body.setter
    def body(self, octets: bytes) -> None:
        """Put another in its place; the header stays as it is."""
        self._check()
        if self.parent is not None:
            self.parent._clash(octets)
        self._change()
        self._kept = octets
        self._children = None
        self._boundary = self._preamble = self._tail = b""

    @property
    def raw(self) -> bytes:
        """Header and body, as they are sent."""
        if self._span is not None:
            return self._span.octets[self._span.start : self._span.end]
        header, body = self.header.header_octets, self.body
        gap = self._gap
        if header and not header.endswith(CRLF):
            header += CRLF
        if not gap and body and (header or BEGINS.match(body)):
            gap = CRLF
        return header + gap + body

    @raw.setter
    def raw(self, octets: bytes) -> None:
        size, start = _cut(octets, 0, len(octets))
        self.body = octets[start:]
        self._gap = octets[size:start]
        self.header = Head(Fields(octets[:size]), self._change)

    def _joined(self) -> bytes:
        """Put the parts together: each behind its delimiter, as it was or as it must be."""
        parts = self.parts
        if not self._boundary:
            return b"".join([part.raw for part in parts])
        boundary = self._type.get("boundary").encode("utf-8", "surrogateescape")
        kept = boundary == self._boundary
        out = [self._preamble]
        before = self._preamble  # what the line end before a delimiter would be taken from
        for part in parts:
            lead = part._lead if kept else None
            if lead is None:
                lead = b"--" + boundary + CRLF
            if before and not lead.startswith((CRLF, b"\n")):
                lead = CRLF + lead
            if not lead.endswith(b"\n"):
                lead += CRLF  # it was the last line
            before = part.raw
            out += [lead, before]
        tail = self._tail
        if not kept or not tail:
            _, _, rest = tail.partition(self._boundary + b"--")
            tail = b"--" + boundary + b"--" + (rest or CRLF)
        if before and not tail.startswith((CRLF, b"\n")):
            tail = CRLF + tail
        return b"".join([*out, tail])

    # Edits.

    def _check(self) -> None:
        """Raise MimeError if it may not be edited."""
        top = self.top
        if isinstance(top, Top):
            top.check()

    def _change(self) -> None:
        """Something in it changes: what was kept of it and of all around it is no more."""
        self._check()
        if self.parts and self._boundary:
            self._kept = None
        elif not self._children:
            self.body  # noqa: B018  # cut before its span is forgotten
            self._children = None
        self._forget()

    def _forget(self) -> None:
        part = self
        part._span = None
        while part.parent is not None:
            part = part.parent
            part._span = part._kept = None
        if isinstance(part, Top):
            part.write()

    def add_first(self, part: "Part") -> None:
        """Put a part before all others in it. Raises MimeError, as all edits do."""
        self._insert(part, 0)

    def add_last(self, part: "Part") -> None:
        """Put a part behind all others in it."""
        self._insert(part, len(self.parts))

    def insert_before(self, other: "Part") -> None:
        """Put it before one which is in a container."""
        other._beside()._insert(self, other._place)

    def insert_after(self, other: "Part") -> None:
        """Put it behind one which is in a container."""
        other._beside()._insert(self, other._place + 1)

    def unlink(self) -> None:
        """Take it, with all in it, out of its tree."""
        parent = self._beside()
        parent._check()
        del parent.parts[self._place]
        self.parent = self._lead = None
        parent._renumber()

    def _beside(self) -> "Part":
        if self.parent is None or not self.parent.is_container:
            raise MimeError("the part is in no container")
        return self.parent

    def _insert(self, part: "Part", place: int) -> None:
        if not self.is_container:
            raise MimeError("the part is no container")
        if part.parent is not None or isinstance(part, Top) or part is self.top:
            raise MimeError("the part is in a tree already")
        self._check()
        depth = self._level + 1
        if depth + part._height > MAX_DEPTH:
            raise MimeError("the parts are too deep")
        self._clash(part.raw)
        part._depth = depth
        part._lead = None
        self.parts.insert(place, part)
        self._renumber()

    def _renumber(self) -> None:
        _number(self.parts, self)
        self._kept = None
        self._forget()

    def _clash(self, octets: bytes) -> None:
        """Raise MimeError if octets hold a delimiter of this container, or one around it."""
        part: Part | None = self
        while part is not None:
            if part._boundary and any(_delimiters(octets, part._boundary)):
                raise MimeError("the part holds a delimiter of what it shall be in")
            part = part.parent

    @property
    def _level(self) -> int:
        level, part = 0, self
        while part.parent is not None:
            level, part = level + 1, part.parent
        return level

    @property
    def _height(self) -> int:
        return 1 + max((part._height for part in self._children or ()), default=0)

    def hold(self, boundary: str) -> None:
        """Become a container which holds nothing yet."""
        self._children = []
        self._boundary = boundary.encode()
        self._kept = None

    @property
    def boundary(self) -> bytes:
        """What is between the parts of a container; b"" of anything else."""
        return self._boundary if self.is_container else b""


class Top(Part):
    """A whole message, whose header is that of the draft."""

    def __init__(self, draft: Draft, *, readonly: bool) -> None:
        super().__init__(draft, draft.body_octets)
        self._draft = draft
        self._edition = draft.edition
        self._readonly = readonly

    @property
    def readonly(self) -> bool:
        return self._readonly

    def check(self) -> None:
        if self._readonly:
            raise MimeError("the parts were asked for to be read only")
        if self._draft.edition != self._edition:
            raise MimeError("the message has another body by now")

    def write(self) -> None:
        """Tell the draft that the body changes."""
        self._draft.write_body(lambda: self.body)

    @property
    def raw(self) -> bytes:
        return self._draft.whole()

    @raw.setter
    def raw(self, octets: bytes) -> None:
        self.check()
        self._draft.set_raw(octets)


def tree(draft: Draft, *, readonly: bool = True) -> Part:
    """Return the top of the parts of a message. Its body is read, if it is on disk."""
    return Top(draft, readonly=readonly)


def _number(parts: list[Part], parent: Part) -> None:
    for place, part in enumerate(parts):
        part._place = place
        part.parent = parent


def _cut(octets: bytes, start: int, end: int) -> tuple[int, int]:
    """Return where the header ends, and where the body begins, of what lies between.

    A body may have lone CRs and LFs, and mail readers take them for line ends: so are they here.
    """
    if octets.startswith((CRLF, b"\n"), start, end):
        return start, start + (2 if octets.startswith(CRLF, start) else 1)
    if not BEGINS.match(octets, start, end):
        return start, start
    found = octets.find(b"\r\n\r\n", start, end)
    size = end if found < 0 else found + 2
    if octets.count(b"\n", start, size) == octets.count(CRLF, start, size):
        return size, end if found < 0 else found + 4
    lone = EMPTY_LINE.search(octets, start, end)
    return (end, end) if lone is None else (lone.start(1), lone.end())


def _delimiters(body: bytes, boundary: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield where each delimiter begins, with the line end before it, where what follows does,
    and whether it closes.
    """
    mark = b"--" + boundary
    at = 0
    while (found := body.find(mark, at)) >= 0:
        at = found + len(mark)
        if found and body[found - 1] != 0x0A:
            continue
        closes = body.startswith(b"--", at)
        end = at + 2 * closes
        while body[end : end + 1] in (b" ", b"\t"):
            end += 1
        if body.startswith(CRLF, end):
            end += 2
        elif body.startswith(b"\n", end):
            end += 1
        elif end < len(body):
            continue
        start = found
        if start:
            start -= 2 if body.startswith(CRLF, start - 2) and start > 1 else 1
        yield start, end, closes
        at = end
