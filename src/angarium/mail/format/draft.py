"""The content of a message while policy works on it.

    draft = Draft(content, front)           the octets as received, and what we put before them
    draft.texts("Subject")                  values of all fields of that name
    draft.append("X-Class", "a")            also replace, set, prepend, delete
    draft.front, draft.content()            what the message is made of now

Nothing is read before it is asked for, nothing is copied which is not changed: fields can be put
before a body of any size without a look at it, and `content` gives the same body back.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from angarium.core.body import Body, MemoryBody
from angarium.mail.format import words
from angarium.mail.format.fields import Fields, field, key
from angarium.mail.format.header import CRLF, limits

_END: Final = b"\r\n\r\n"
_LARGE: Final = 1 << 20  # octets above which a new content is not put together in memory
BEGINS: Final = re.compile(rb"\r\n|[!-9;-~]+[ \t]*:")


class Rest:
    """A body: some octets, then another from an offset on."""

    __slots__ = ("_at", "_body", "_first", "size")

    def __init__(self, first: bytes, body: Body, at: int) -> None:
        self._first = first
        self._body = body
        self._at = at
        self.size = len(first) + body.size - at

    def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
        if self._first:
            yield self._first
        skipped = 0
        for piece in self._body.pieces(at_most):
            if skipped >= self._at:
                yield piece
                continue
            skip = self._at - skipped
            skipped += len(piece)
            if skip < len(piece):
                yield piece[skip:]

    def whole(self) -> bytes:
        return b"".join(self.pieces())


class Draft:
    """Header and body of a message, to be read and edited.

    The header is `front`, which we put before what we received, and that of the content. Names of
    fields are taken in any case. A value to be set is text, encoded by RFC 2047 where it is not
    ASCII, or octets; both may be folded, and neither may begin a line of its own.

    Attributes:
        front_changed: something was put before the content, or removed from there.
        header_changed: the header of the content was changed.
        body_changed: the body was.
        edition: counts how often another body took the place of the body.
    """

    __slots__ = (
        "_bare",
        "_body",
        "_content",
        "_ended",
        "_front",
        "_gap",
        "_own",
        "_start",
        "_write",
        "body_changed",
        "edition",
        "front_changed",
        "header_changed",
    )

    _own: Fields | None
    _body: Body | None
    _write: Callable[[], bytes] | None

    def __init__(self, content: Body | bytes, front: bytes = b"") -> None:
        """Take the content, and fields with their line ends which stand before it.

        Front ends in an empty line where the content has no header, as `inbound/content` says.
        """
        self.edition = 0
        self._begin(content, front)
        self.front_changed = self.header_changed = self.body_changed = False

    def _begin(self, content: Body | bytes, front: bytes) -> None:
        self._ended = front.endswith(_END)
        self._bare = self._ended  # the content has no header: all of it is body
        self._front = Fields(front[:-2] if self._ended else front)
        self._content = MemoryBody(content) if isinstance(content, bytes) else content
        self._own = None
        self._start = 0  # of the body in the content
        self._gap = b""  # between header and body of the content
        self._body = None  # what stands in the place of the one in the content
        self._write = None  # gives it, where it is still being edited

    def copy(self) -> "Draft":
        """Return a draft which can be edited by itself; both share what neither changes."""
        self._settle()
        other = Draft.__new__(Draft)
        other._bare = self._bare
        other._front = self._front.copy()
        other._content = self._content
        other._ended = self._ended
        other._own = None if self._own is None else self._own.copy()
        other._start = self._start
        other._gap = self._gap
        other._body = self._body
        other._write = None
        other.edition = self.edition
        other.front_changed = self.front_changed
        other.header_changed = self.header_changed
        other.body_changed = self.body_changed
        return other

    def _fields(self) -> Fields:
        """The header of the content, which is looked for when it is wanted."""
        if self._own is None:
            head = self._head()
            if self._bare or not BEGINS.match(head):
                self._bare = True
                self._own = Fields()
            else:
                size, self._start = limits(head)
                self._gap = head[size : self._start]
                self._own = Fields(head[:size])
        return self._own

    def _head(self) -> bytes:
        """The beginning of the content, up to where its header ends or further."""
        head = b""
        for piece in self._content.pieces():
            seen = max(len(head) - 3, 0)
            head = head + piece if head else piece
            if self._bare or head.find(_END, seen) >= 0 or head.startswith(CRLF):
                break
        return head

    # The header.

    @property
    def names(self) -> list[bytes]:
        """Names of all fields, in their order and in lower case."""
        return self._front.names + self._fields().names

    def items(self) -> list[tuple[bytes, bytes]]:
        """Return each field: its name as it is written, its value unfolded."""
        return self._front.items() + self._fields().items()

    def values(self, name: str) -> list[bytes]:
        """Return the values of all fields of that name, unfolded."""
        named = key(name)
        return self._front.values(named) + self._fields().values(named)

    def value(self, name: str) -> bytes | None:
        """Return the value of the first field of that name, unfolded; None without one."""
        named = key(name)
        found = self._front.value(named)
        return self._fields().value(named) if found is None else found

    def texts(self, name: str) -> list[str]:
        """Return the values of all fields of that name, their encoded words decoded."""
        return [words.decoded(value) for value in self.values(name)]

    def text(self, name: str) -> str | None:
        """Return the value of the first field of that name, its encoded words decoded."""
        value = self.value(name)
        return None if value is None else words.decoded(value)

    def append(self, name: str, *values: str | bytes) -> None:
        """Put a field for each value behind the others. Raises FieldError."""
        self._append([field(name, value) for value in values])

    def _append(self, fields: list[bytes]) -> None:
        if not fields:
            return
        own = self._fields()
        if self._bare:
            self._front.append(*fields)
            self.front_changed = True
        else:
            own.append(*fields)
            self.header_changed = True

    def prepend(self, name: str, *values: str | bytes) -> None:
        """Put a field for each value before the others, in their order. Raises FieldError."""
        fields = [field(name, value) for value in values]
        if fields:
            self._front.prepend(*fields)
            self.front_changed = True

    def replace(self, name: str, *values: str | bytes) -> None:
        """Remove the fields of that name, then append one for each value. Raises FieldError."""
        fields = [field(name, value) for value in values]  # a refused one removes nothing
        self.delete(name)
        self._append(fields)

    def set(self, name: str, *values: str | bytes) -> None:
        """Put the values where the first field of that name is, and remove the others of it.

        Without one they go behind the other fields. Raises FieldError.
        """
        fields = [field(name, value) for value in values]
        named = key(name)
        if self._front.count(named):
            self._front.put(named, *fields)
            self.front_changed = True
            if self._fields().delete(named):
                self.header_changed = True
        elif self._fields().count(named):
            self._fields().put(named, *fields)
            self.header_changed = True
        else:
            self._append(fields)

    def delete(self, name: str) -> int:
        """Remove all fields of that name; return how many there were."""
        named = key(name)
        before = self._front.delete(named)
        own = self._fields().delete(named)
        if before:
            self.front_changed = True
        if own:
            self.header_changed = True
        return before + own

    def delete_where(self, name: str, gone: Callable[[bytes], bool]) -> int:
        """Remove those fields of that name which came with it and whose value says so."""
        own = self._fields().delete_where(key(name), gone)
        if own:
            self.header_changed = True
        return own

    @property
    def header_octets(self) -> bytes:
        """The whole header with its last CRLF, without the empty line."""
        return self._front.raw + self._fields().raw

    # The body.

    @property
    def body(self) -> Body:
        """The body, without the header and the empty line."""
        self._settle()
        if self._body is None:
            self._fields()
            if not self._start:
                return self._content
            return Rest(b"", self._content, self._start)
        return self._body

    @property
    def body_octets(self) -> bytes:
        """The body in one piece: read from disk, if it is large."""
        return self.body.whole()

    def set_body(self, body: Body | bytes) -> None:
        """Put another body in the place of this one; the header stays as it is."""
        self._fields()
        self._body = MemoryBody(body) if isinstance(body, bytes) else body
        self._write = None
        self.body_changed = True
        self.edition += 1

    def write_body(self, write: Callable[[], bytes]) -> None:
        """Have another body, which is asked for when it is wanted.

        So who edits it in many steps need not put it together after each of them.
        """
        self._fields()
        self._write = write
        self.body_changed = True

    def _settle(self) -> None:
        """Ask for a body which is being edited as it is now."""
        if self._write is not None:
            self._body = MemoryBody(self._write())
            self._write = None

    # The whole.

    def set_raw(self, content: Body | bytes) -> None:
        """Put another message in the place of this one, header and body."""
        self._begin(content, b"")
        self.edition += 1
        self.front_changed = self.header_changed = self.body_changed = True

    @property
    def size(self) -> int:
        """Octets of the whole message."""
        return len(self.front) + self.content().size

    def pieces(self) -> Iterator[bytes]:
        """Yield the whole message."""
        if front := self.front:
            yield front
        yield from self.content().pieces()

    def whole(self) -> bytes:
        """Return the whole message in one piece."""
        return b"".join(self.pieces())

    @property
    def front(self) -> bytes:
        """What stands before the content, as `Message.header` has it."""
        self._settle()
        front = self._front.raw
        if self._ended:
            return front + CRLF
        if self.front_changed or self.body_changed:
            self._fields()
            # A body without a header must not be taken for one, nor for what goes on with ours.
            if self._bare and (front or self._body is not None):
                return front + CRLF
        return front

    def content(self) -> Body:
        """Return the content, as `Message.body` has it; the one which was given, if it can be."""
        self._settle()
        if not self.header_changed and self._body is None:
            return self._content
        return self._made(self._fields().raw)

    def _made(self, header: bytes) -> Body:
        body = self._body
        if body is None:
            made = Rest(header + self._gap, self._content, self._start)
        else:
            gap = self._gap
            if body.size and not self._bare and not gap:
                gap = CRLF if not header or header.endswith(CRLF) else _END
            made = Rest(header + gap, body, 0)
        return made if made.size > _LARGE else MemoryBody(made.whole())
