"""The fields of a header, as signatures choose and canonicalise them.

    fields = Fields(header)
    fields.chosen([b"from", b"from"])         rows from the bottom; None where there are no more
    fields.canonical(row, "relaxed")          with its line end; made once for all signatures

Names are in lower case. What is no field, such as a line without a colon, belongs to the field
before it, as everywhere (`mail/format/header`).
"""

from collections.abc import Iterable, Sequence
from typing import Final

from angarium.mail.auth.canon import CRLF, Canon, relaxed_field, relaxed_lines
from angarium.mail.format.header import FIELD, FOLD, limits


class Fields:
    """A header, indexed once for all that sign it or check it."""

    __slots__ = ("_canonical", "_lines", "_places", "_rows", "names", "raw")

    def __init__(self, raw: bytes) -> None:
        """Take a header with its last CRLF, without the empty line."""
        self.raw = raw
        found = [(at[1].lower(), at.start(), at.end() - 2) for at in FIELD.finditer(CRLF + raw)]
        ends = [start for _, start, _ in found[1:]]
        ends.append(len(raw))
        # Where the field begins, where its value begins, where the next field begins.
        self._rows = [(at, value, end) for (_, at, value), end in zip(found, ends, strict=False)]
        self.names: Final = tuple([name for name, _, _ in found])
        self._places: dict[bytes, list[int]] | None = None
        self._lines: list[bytes] | None = None
        self._canonical: dict[int, bytes] = {}

    def rows(self, name: bytes) -> Sequence[int]:
        """Return the rows of the fields of a name, from the top."""
        places = self._places
        if places is None:
            places = self._places = {}
            for row, each in enumerate(self.names):
                places.setdefault(each, []).append(row)
        return places.get(name, ())

    def count(self, name: bytes) -> int:
        return len(self.rows(name))

    def octets(self, row: int) -> bytes:
        """Return a field as it is, with its line end."""
        at, _, end = self._rows[row]
        octets = self.raw[at:end]
        return octets if octets.endswith(CRLF) else octets + CRLF

    def value(self, row: int) -> bytes:
        """Return what stands behind the colon, with its folds and without the last line end."""
        _, at, end = self._rows[row]
        return self.raw[at:end].removesuffix(CRLF)

    def unfolded(self, row: int) -> bytes:
        """Return the value in one line, without the blanks around it."""
        return FOLD.sub(b"", self.value(row)).strip(b" \t")

    def place(self, row: int) -> tuple[int, int]:
        """Return where in the header a field begins, and where the next one does."""
        at, _, end = self._rows[row]
        return at, end

    def chosen(self, names: Iterable[bytes]) -> list[int | None]:
        """Return the rows which a list of names means, the lowest first (section 5.4.2)."""
        left: dict[bytes, list[int]] = {}
        rows: list[int | None] = []
        for name in names:
            places = left.get(name)
            if places is None:
                places = left[name] = list(self.rows(name))
            rows.append(places.pop() if places else None)
        return rows

    def canonical(self, row: int, canon: Canon) -> bytes:
        """Return a field in a canonical form, with its line end."""
        if canon == "simple":
            return self.octets(row)
        known = self._canonical.get(row)
        if known is None:
            known = self._canonical[row] = self._relaxed(row)
        return known

    def _relaxed(self, row: int) -> bytes:
        lines = self._lines
        if lines is None:
            # All fields are relaxed at once, which costs less than three by themselves.
            lines = self._lines = relaxed_lines(self.raw)
        if len(lines) == len(self._rows):
            value = lines[row].partition(b":")[2]
            return b"%b:%b\r\n" % (self.names[row], value.strip(b" "))
        # There are lines which are no fields.
        _, at, end = self._rows[row]
        return relaxed_field(self.names[row], self.raw[at:end]) + CRLF

    def signed(self, rows: Iterable[int | None], canon: Canon) -> bytes:
        """Return what a signature over these rows covers of this header."""
        return b"".join([self.canonical(row, canon) for row in rows if row is not None])


def opened(pieces: Iterable[bytes], at_most: int = 1 << 20) -> tuple[bytes, Iterable[bytes]]:
    """Part the octets of a message into its header and the pieces of its body.

    The header must end within `at_most` octets, or it ends there: nobody has one of that size,
    and its signatures fail.
    """
    rest = iter(pieces)
    begin = b""
    for piece in rest:
        begin = begin + piece if begin else piece
        if begin.startswith(CRLF) or b"\r\n\r\n" in begin or len(begin) > at_most:
            break
    size, start = limits(begin)
    return begin[:size], _behind(begin[start:], rest)


def _behind(first: bytes, rest: Iterable[bytes]) -> Iterable[bytes]:
    if first:
        yield first
    yield from rest
