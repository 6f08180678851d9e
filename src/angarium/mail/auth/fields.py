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

    __slots__ = ("_found", "_places", "_relaxed", "_rows", "names", "raw")

    def __init__(self, raw: bytes) -> None:
        """Take a header with its last CRLF, without the empty line."""
        self.raw = raw
        self._found = list(FIELD.finditer(CRLF + raw))
        self.names: Final = tuple([each[1].lower() for each in self._found])
        self._rows: list[tuple[int, int, int]] | None = None
        self._places: dict[bytes, list[int]] | None = None
        self._relaxed: list[bytes] | None = None

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

    def _row(self, row: int) -> tuple[int, int, int]:
        """Return where a field begins, where its value does, and where the next field does.

        Who signs with relaxed forms need not know: then it is not found out.
        """
        rows = self._rows
        if rows is None:
            starts = [each.start() for each in self._found]
            values = [each.end() - 2 for each in self._found]
            ends = [*starts[1:], len(self.raw)]
            rows = self._rows = list(zip(starts, values, ends, strict=False))
        return rows[row]

    def octets(self, row: int) -> bytes:
        """Return a field as it is, with its line end."""
        at, _, end = self._row(row)
        octets = self.raw[at:end]
        return octets if octets.endswith(CRLF) else octets + CRLF

    def value(self, row: int) -> bytes:
        """Return what stands behind the colon, with its folds and without the last line end."""
        _, at, end = self._row(row)
        return self.raw[at:end].removesuffix(CRLF)

    def unfolded(self, row: int) -> bytes:
        """Return the value in one line, without the blanks around it."""
        return FOLD.sub(b"", self.value(row)).strip(b" \t")

    def place(self, row: int) -> tuple[int, int]:
        """Return where in the header a field begins, and where the next one does."""
        at, _, end = self._row(row)
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
        return self.signed((row,), canon)

    def _all_relaxed(self) -> list[bytes]:
        """Return all fields in relaxed form, which costs less than three by themselves."""
        lines = relaxed_lines(self.raw)
        if len(lines) == len(self.names):
            values = [line.partition(b":")[2].strip(b" ") for line in lines]
            return [b"%b:%b\r\n" % each for each in zip(self.names, values, strict=True)]
        # There are lines which are no fields.
        places = [self._row(row) for row in range(len(self.names))]
        return [
            relaxed_field(name, self.raw[at:end]) + CRLF
            for name, (_, at, end) in zip(self.names, places, strict=True)
        ]

    def signed(self, rows: Iterable[int | None], canon: Canon) -> bytes:
        """Return what a signature over these rows covers of this header."""
        if canon == "simple":
            return b"".join([self.octets(row) for row in rows if row is not None])
        if self._relaxed is None:
            self._relaxed = self._all_relaxed()
        relaxed = self._relaxed
        return b"".join([relaxed[row] for row in rows if row is not None])


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
