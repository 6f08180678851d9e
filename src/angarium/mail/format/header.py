"""The header of a message: found, read and edited by offset, on its octets as they came (RFC 5322).

    size, start = limits(content)       the header is content[:size], the body content[start:]
    header = Header(content[:size])
    header.value(b"subject")            unfolded, without the blanks around it
    header.without(b"return-path")      the octets which are left

What is no field, such as a line without a colon, belongs to the field before it and stays where it
is: nothing is repaired in passing. Names are given in lower case.
"""

import re
from typing import Final

CRLF: Final = b"\r\n"

# field          = field-name ":" unstructured CRLF
# field-name     = 1*ftext                         ; %d33-57 / %d59-126
# Blanks before the colon are obsolete syntax (RFC 5322 section 4.5) and still seen.
FIELD: Final = re.compile(rb"\r\n([!-9;-~]+)[ \t]*:")
FOLD: Final = re.compile(rb"\r\n(?=[ \t])")


def limits(content: bytes) -> tuple[int, int]:
    """Return the size of the header with its last CRLF, and where the body begins.

    Without an empty line all is header. `content` may be the beginning of a message, if it holds
    the whole header.
    """
    if content.startswith(CRLF):
        return 0, 2
    end = content.find(b"\r\n\r\n")
    return (end + 2, end + 4) if end >= 0 else (len(content), len(content))


class Header:
    """The fields of a header, in their order."""

    __slots__ = ("_fields", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        found = [(at[1].lower(), at.start(), at.end() - 2) for at in FIELD.finditer(CRLF + raw)]
        ends = [*(start for _, start, _ in found), len(raw)][1:]
        # Name, where the field begins, where its value begins, where the next field begins.
        self._fields = [(*field, end) for field, end in zip(found, ends, strict=True)]

    @property
    def names(self) -> list[bytes]:
        return [name for name, _, _, _ in self._fields]

    def count(self, name: bytes) -> int:
        return self.names.count(name)

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of all fields of that name, unfolded."""
        return [self._value(at, end) for each, _, at, end in self._fields if each == name]

    def value(self, name: bytes) -> bytes | None:
        """Return the value of the first field of that name, unfolded; None without one."""
        for each, _, at, end in self._fields:
            if each == name:
                return self._value(at, end)
        return None

    def without(self, *names: bytes) -> bytes:
        """Return the header without the fields of these names."""
        kept, at = [], 0
        for name, start, _, end in self._fields:
            if name in names:
                kept.append(self.raw[at:start])
                at = end
        return b"".join(kept) + self.raw[at:]

    def _value(self, start: int, end: int) -> bytes:
        return FOLD.sub(b"", self.raw[start:end]).strip(b" \t\r\n")
