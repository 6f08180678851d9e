"""The fields of a header while they are edited.

    fields = Fields(raw)
    fields.values(b"subject")               unfolded, of all fields of that name
    fields.append(field("X-Class", "a"))    a checked and folded field, behind the others
    fields.raw                              the header; what was not touched as it was

An edit makes a new list of the fields, so that a copy costs nothing: nothing is changed in place.
Names are given in lower case. As in `header`, what is no field belongs to the field before it.
"""

import re
from collections.abc import Callable
from typing import Final

from angarium.core.errors import Error
from angarium.mail.format import charset, words
from angarium.mail.format.header import CRLF, FIELD, FOLD

_LINE: Final = 78  # characters in which lines are folded (RFC 5322 section 2.1.1)
_NAME: Final = re.compile(r"[!-9;-~]{1,200}\Z")  # ftext, and no more than anybody reads
# A line end which begins no continuation with something in it. NUL is in no field at all.
_BROKEN: Final = re.compile(rb"\r(?!\n[ \t]+[^ \t\r\n])|(?<!\r)\n|\0")
# Where a line may be folded: blanks between two words.
_PLACE: Final = re.compile(rb"(?<=[^ \t])[ \t]+(?=[^ \t])")
# Fields of addresses and the like, in which what is between quotes and brackets must be kept.
_STRUCTURED: Final = frozenset(
    "from sender reply-to to cc bcc resent-from resent-sender resent-reply-to resent-to resent-cc"
    " resent-bcc disposition-notification-to".split()
)

# Lower case name, the octets of the field with its line ends, where in them its value begins.
# What comes before the first field has the name b"".
Row = tuple[bytes, bytes, int]


class FieldError(Error):
    """What cannot be a header field."""


def field(name: str, value: str | bytes) -> bytes:
    """Return a field with its CRLF, folded where it is too long.

    Args:
        value: text, which is encoded by RFC 2047 if it is not ASCII; or octets, which stay.
            It may be folded already.

    Raises FieldError for what is no name, and for a value that would begin a line of its own.
    """
    if not _NAME.match(name):
        raise FieldError("this is no name of a header field", name=name[:80])
    octets = value if isinstance(value, bytes) else charset.utf8(value)
    octets = octets.strip(b" \t")
    if _BROKEN.search(octets):
        raise FieldError("a header field may not have line ends or NUL in its value", name=name)
    if isinstance(value, str) and not octets.isascii():
        encode = words.structured if name.lower() in _STRUCTURED else words.encoded
        octets = charset.utf8(encode(value.strip(" \t").replace("\r\n", "")))
    whole = b"%b: %b\r\n" % (name.encode("ascii"), octets)
    return whole if len(whole) <= _LINE + 2 else _folded(whole, len(name) + 2)


def _folded(whole: bytes, start: int) -> bytes:
    """Fold a field between words; the first of them stays beside the name."""
    out = []
    for line in whole[:-2].split(CRLF):
        begun = 0  # of the line which is being made
        last = -1  # the last place seen where it may be folded
        for place in _PLACE.finditer(line, start):
            if place.start() - begun > _LINE and last > begun:
                out.append(line[begun:last])
                begun = last
            last = place.start()
        if len(line) - begun > _LINE and last > begun:
            out.append(line[begun:last])
            begun = last
        out.append(line[begun:])
        start = 1
    return CRLF.join(out) + CRLF


class Fields:
    """The fields of a header, to be read and edited."""

    __slots__ = ("_raw", "_rows")

    _raw: bytes | None
    _rows: list[Row] | None

    def __init__(self, raw: bytes = b"") -> None:
        """Take a header with its last CRLF, without the empty line."""
        self._raw = raw
        self._rows = None

    def copy(self) -> "Fields":
        """Return fields which can be edited by themselves."""
        other = Fields.__new__(Fields)
        other._raw = self._raw
        other._rows = self._rows
        return other

    @property
    def raw(self) -> bytes:
        """The header as it is now."""
        if self._raw is None:
            self._raw = b"".join([octets for _, octets, _ in self._index()])
        return self._raw

    def _index(self) -> list[Row]:
        rows = self._rows
        if rows is None:
            raw = self._raw or b""
            rows = []
            name, at, value = b"", 0, 0
            for found in FIELD.finditer(CRLF + raw):
                start = found.start()
                if start > at or name:
                    rows.append((name, raw[at:start], value))
                name, at, value = found[1].lower(), start, found.end() - 2 - start
            if raw:
                rows.append((name, raw[at:], value))
            self._rows = rows
        return rows

    @property
    def names(self) -> list[bytes]:
        """Names in their order, in lower case."""
        return [name for name, _, _ in self._index() if name]

    def items(self) -> list[tuple[bytes, bytes]]:
        """Return each name as it is written, and its value unfolded."""
        return [
            (octets[: at - 1].rstrip(b" \t"), _value(octets, at))
            for name, octets, at in self._index()
            if name
        ]

    def count(self, name: bytes) -> int:
        return [each for each, _, _ in self._index()].count(name)

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of all fields of that name, unfolded."""
        return [_value(octets, at) for each, octets, at in self._index() if each == name]

    def value(self, name: bytes) -> bytes | None:
        """Return the value of the first field of that name, unfolded; None without one."""
        for each, octets, at in self._index():
            if each == name:
                return _value(octets, at)
        return None

    def octets(self, name: bytes) -> list[bytes]:
        """Return the fields of that name as they are written, with their line ends."""
        return [octets for each, octets, _ in self._index() if each == name]

    def delete(self, name: bytes) -> int:
        """Remove all fields of that name; return how many there were."""
        rows = self._index()
        left = [row for row in rows if row[0] != name]
        gone = len(rows) - len(left)
        if gone:
            self._become(left)
        return gone

    def delete_where(self, name: bytes, gone: Callable[[bytes], bool]) -> int:
        """Remove the fields of that name whose unfolded value says so; return how many."""
        rows = self._index()
        left = [row for row in rows if row[0] != name or not gone(_value(row[1], row[2]))]
        if len(left) < len(rows):
            self._become(left)
        return len(rows) - len(left)

    def append(self, *fields: bytes) -> None:
        """Put whole fields behind the others."""
        self._become(_ended(self._index()) + [_row(each) for each in fields])

    def prepend(self, *fields: bytes) -> None:
        """Put whole fields before the others, but behind what is no field."""
        rows = self._index()
        first = 0 if not rows or rows[0][0] else 1
        new = [_row(each) for each in fields]
        self._become(_ended(rows[:first]) + new + rows[first:])

    def put(self, name: bytes, *fields: bytes) -> None:
        """Put whole fields where the first of that name is, and remove the others of it.

        Without one they go behind the others.
        """
        rows = self._index()
        for index, row in enumerate(rows):
            if row[0] == name:
                rest = [row for row in rows[index + 1 :] if row[0] != name]
                self._become(rows[:index] + [_row(each) for each in fields] + rest)
                return
        self.append(*fields)

    def _become(self, rows: list[Row]) -> None:
        self._rows = rows
        self._raw = None


class Head:
    """A header by itself, edited by name as a `draft.Draft` is; names in any case."""

    __slots__ = ("_changing", "fields")

    def __init__(self, fields: Fields, changing: Callable[[], None]) -> None:
        """Take the fields, and what is to be called before each change."""
        self.fields = fields
        self._changing = changing

    @property
    def names(self) -> list[bytes]:
        return self.fields.names

    def items(self) -> list[tuple[bytes, bytes]]:
        return self.fields.items()

    def values(self, name: str) -> list[bytes]:
        return self.fields.values(key(name))

    def value(self, name: str) -> bytes | None:
        return self.fields.value(key(name))

    def texts(self, name: str) -> list[str]:
        return [words.decoded(value) for value in self.values(name)]

    def text(self, name: str) -> str | None:
        value = self.value(name)
        return None if value is None else words.decoded(value)

    def append(self, name: str, *values: str | bytes) -> None:
        self._changing()
        self.fields.append(*[field(name, value) for value in values])

    def prepend(self, name: str, *values: str | bytes) -> None:
        self._changing()
        self.fields.prepend(*[field(name, value) for value in values])

    def replace(self, name: str, *values: str | bytes) -> None:
        self._changing()
        fields = [field(name, value) for value in values]
        self.fields.delete(key(name))
        self.fields.append(*fields)

    def set(self, name: str, *values: str | bytes) -> None:
        self._changing()
        self.fields.put(key(name), *[field(name, value) for value in values])

    def delete(self, name: str) -> int:
        self._changing()
        return self.fields.delete(key(name))

    @property
    def header_octets(self) -> bytes:
        return self.fields.raw


def key(name: str) -> bytes:
    """Return the name by which `Fields` knows a field."""
    return name.lower().encode("utf-8", "replace")


def _ended(rows: list[Row]) -> list[Row]:
    """Return the rows with a line end behind the last."""
    if not rows or rows[-1][1].endswith(CRLF):
        return rows
    name, octets, at = rows[-1]
    return [*rows[:-1], (name, octets + CRLF, at)]


def _row(octets: bytes) -> Row:
    name, _, _ = octets.partition(b":")
    return name.rstrip(b" \t").lower(), octets, len(name) + 1


def _value(octets: bytes, at: int) -> bytes:
    value = octets[at:].strip(b" \t\r\n")
    return FOLD.sub(b"", value) if b"\r\n" in value else value
