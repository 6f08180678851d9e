"""Which fields of a header a signature covers: the list for h=, made for one message.

    Covered.of("from to subject", oversigned="from subject").names(fields)
    Covered.marked("From:Subject?:Received+:X-Class*").names(fields)

A name in h= means one field from the bottom, and where there are no more, that there is none
(RFC 6376 section 5.4.2): who adds one breaks the signature. To "oversign" a field is to name it
once more than it is there.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from angarium.core.errors import Error
from angarium.mail.auth.fields import Fields

# RFC 6376 section 5.4.1, and what a message says of its own form.
RECOMMENDED: Final = tuple(
    b"from reply-to subject date to cc message-id resent-date resent-from resent-to resent-cc"
    b" in-reply-to references list-id list-help list-unsubscribe list-unsubscribe-post"
    b" list-subscribe list-post list-owner list-archive mime-version content-type"
    b" content-transfer-encoding".split()
)
# Nobody signs these: they are changed on the way, or are signatures (section 5.4).
NEVER: Final = frozenset((b"return-path", b"dkim-signature"))


class FieldListError(Error):
    """What is no list of fields that could be signed."""


class Entry(NamedTuple):
    """A name in the list."""

    name: bytes
    all: bool  # as many as there are, else one
    missing: bool  # name it where there is none


class Covered:
    """The list of an administrator, made ready for messages."""

    __slots__ = ("_entries", "_over")

    def __init__(
        self,
        entries: Iterable[Entry],
        over: Iterable[bytes] = (),
        never: frozenset[bytes] = NEVER,
    ) -> None:
        self._entries = tuple(each for each in entries if each.name not in never)
        self._over = tuple(name for name in over if name not in never)
        if b"from" not in {each.name for each in self._entries} | set(self._over):
            # Section 5.4: From must be signed, whatever else is.
            self._entries = (Entry(b"from", all=True, missing=True), *self._entries)

    @classmethod
    def of(
        cls,
        names: str | Iterable[str] = (),
        oversigned: str | Iterable[str] = (),
        skipped: str | Iterable[str] = (),
        never: frozenset[bytes] = NEVER,
    ) -> "Covered":
        """All fields of these names, as often as they are there; nothing: those of the RFC."""
        left = _names(skipped)
        chosen = _names(names) or RECOMMENDED
        over = tuple(dict.fromkeys(_names(oversigned)))
        return cls(
            [
                Entry(name, all=True, missing=name == b"from" and name not in over)
                for name in dict.fromkeys(chosen)
                if name not in left
            ],
            [name for name in over if name not in left],
            never,
        )

    @classmethod
    def exactly(cls, names: str | Iterable[str]) -> "Covered":
        """The names as they stand there, one field each."""
        return cls([Entry(name, all=False, missing=True) for name in _names(names)])

    @classmethod
    def marked(cls, text: str) -> "Covered":
        """Names with colons between them, each with the sign of how it is meant, or without.

        `X`: one, also where there is none. `X?`: one if there is one. `X*`: all, and if there is
        none, that. `X+`: all there are. Raises FieldListError.
        """
        entries = []
        for word in text.split(":"):
            name = word.strip().rstrip("?*+")
            sign = word.strip()[len(name) :]
            if len(sign) > 1 or not name:
                raise FieldListError("this is no list of fields", list=text)
            entries.append(Entry(_name(name), sign in ("*", "+"), sign in ("", "*")))
        return cls(entries)

    def names(self, fields: Fields) -> list[bytes]:
        """Return what stands in h= for this header, in lower case."""
        used: dict[bytes, int] = {}
        names: list[bytes] = []
        for entry in self._entries:
            name = entry.name
            there = fields.count(name) - used.get(name, 0)
            times = int(entry.missing)
            if there > 0:
                times = there if entry.all else 1
            if times:
                names += [name] * times
                used[name] = used.get(name, 0) + times
        for name in self._over:
            names += [name] * max(1, fields.count(name) - used.get(name, 0) + 1)
        return names


def _names(names: str | Iterable[str]) -> tuple[bytes, ...]:
    words = names.replace(":", " ").replace(",", " ").split() if isinstance(names, str) else names
    return tuple(_name(word) for word in words)


def _name(word: str) -> bytes:
    name = word.strip().lower()
    if not name.isascii() or not name.isprintable() or not name or set(name) & set(" :;"):
        raise FieldListError("this is no name of a field", name=word)
    return name.encode()
