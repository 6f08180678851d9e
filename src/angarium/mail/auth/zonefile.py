"""DNS from a file, in the form of master files (RFC 1035 section 5): checks without a network.

    zone = Zone(text)
    await zone("example.com", "TXT")

    example.com.          IN TXT   "v=spf1 mx " "-all"
    mail.example.com. 300 IN A     192.0.2.1
    slow.example.com.        TIMEOUT

Names are whole, with or without their final dot, unless $ORIGIN or a TTL as in zones of a server
say more: after $ORIGIN a name without a final dot is relative to it. A line which begins with a
blank goes on with the name before. TIMEOUT and SERVFAIL are ours: nobody can tell about that name.
Types nobody here asks for are passed over, times to live mean nothing.
"""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from angarium.core.errors import Error
from angarium.mail.auth.asking import NameTrouble, NoSuchName, Record

TROUBLES: Final = ("TIMEOUT", "SERVFAIL")
_TOKEN: Final = re.compile(
    r'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<comment>;.*)|(?P<special>[()])|(?P<word>(?:[^\s";()\\]|\\.)+)'
)
_ESCAPE: Final = re.compile(r"\\(?:([0-9]{3})|(.))")
_TTL: Final = re.compile(r"(?:[0-9]+[smhdwSMHDW]?)+")
_CLASSES: Final = ("IN", "CH", "HS")
_ALIASES: Final = 20  # followed from one name


class ZoneError(Error):
    """A line of a zone file which cannot be read."""


class Zone:
    """The records of a file; an `Ask`."""

    def __init__(self, text: str) -> None:
        self._records: dict[str, dict[str, list[Record]]] = {}
        self._troubled: set[str] = set()
        self._above: set[str] = set()  # names which have no records but stand above some
        for name, kind, values in _read(text):
            self._add(name, kind, values)

    def _add(self, name: str, kind: str, values: list[str]) -> None:
        parent = name
        while parent := parent.partition(".")[2]:
            self._above.add(parent)
        if kind in TROUBLES:
            self._troubled.add(name)
            return
        record = _record(kind, values)
        kinds = self._records.setdefault(name, {})
        if record is not None:
            kinds.setdefault(kind, []).append(record)

    async def __call__(self, name: str, kind: str, /) -> tuple[Record, ...]:
        name = name.lower().removesuffix(".")
        for _ in range(_ALIASES):
            if name in self._troubled:
                break
            found = self._known(name)
            if found is None:
                raise NoSuchName("the zone has no such name", name=name)
            alias = found.get("CNAME") if kind != "CNAME" else None
            if not alias:
                return tuple(found.get(kind, ()))
            name = str(alias[0])
        raise NameTrouble("the zone does not tell", name=name)

    def _known(self, name: str) -> dict[str, list[Record]] | None:
        if name in self._records:
            return self._records[name]
        if name in self._above:
            return {}
        # RFC 4592: the wildcard below the closest name there is.
        parent = name
        while parent := parent.partition(".")[2]:
            if (wild := f"*.{parent}") in self._records:
                return self._records[wild]
            if parent in self._records or parent in self._above:
                break
        return None


def _record(kind: str, values: list[str]) -> Record | None:
    """Return a value as `asking` has it. Raises ValueError."""
    match kind:
        case "A":
            return str(IPv4Address(values[0]))
        case "AAAA":
            return str(IPv6Address(values[0]))
        case "MX":
            return int(values[0]), values[1].lower()
        case "TXT" | "SPF":
            return "".join(values).encode("utf-8", "surrogateescape")
        case "CNAME" | "PTR" | "NS":
            return values[0].lower()
        case _:
            return None


def _read(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield name, type and values of each line. Raises ZoneError."""
    origin, name = "", ""
    for number, new_name, words in _lines(text):
        try:
            if new_name and words[0][0].startswith("$"):
                if words[0][0].upper() == "$ORIGIN":
                    origin = _name(words[1][0], origin).removesuffix(".")
                continue
            if new_name:
                name = _name(words.pop(0)[0], origin)
            kind = _kind(words, name)
            values = [_value(kind, word, quoted, origin) for word, quoted in words]
            if kind not in TROUBLES:
                _record(kind, values)
            yield name, kind, values
        except (ValueError, IndexError, AddressValueError) as fault:
            raise ZoneError(f"line {number} of the zone is no record", why=str(fault)) from None


def _kind(words: list[tuple[str, bool]], name: str) -> str:
    """Take TTL, class and type from the words; return the type."""
    if not name:
        raise ValueError("there is no name")
    for _ in range(3):
        word = words.pop(0)[0].upper()
        if word not in _CLASSES and not _TTL.fullmatch(word):
            return word
    raise ValueError("there is no type")


def _value(kind: str, word: str, quoted: bool, origin: str) -> str:
    if kind in ("MX", "CNAME", "PTR", "NS") and not quoted and not word.isdigit():
        return _name(word, origin)
    return word


def _name(word: str, origin: str) -> str:
    if word == "@":
        return origin
    if word.endswith(".") or not origin:
        return word.lower().removesuffix(".")
    return f"{word.lower()}.{origin}"


def _lines(text: str) -> Iterator[tuple[int, bool, list[tuple[str, bool]]]]:
    """Yield line number, whether it begins with a name, and its words with their quotes."""
    words: list[tuple[str, bool]] = []
    depth, first, named = 0, 1, True
    for number, line in enumerate(text.splitlines(), 1):
        if not words:
            first, named = number, not line[:1].isspace()
        at = 0
        while at < len(line):
            if line[at].isspace():
                at += 1
                continue
            found = _TOKEN.match(line, at)
            if found is None:
                raise ZoneError(f"line {number} of the zone is no record", why=line[at : at + 20])
            at = found.end()
            if found["special"]:
                depth = max(0, depth + (1 if found["special"] == "(" else -1))
            elif found["quoted"] is not None:
                words.append((_unescaped(found["quoted"]), True))
            elif found["word"]:
                words.append((_unescaped(found["word"]), False))
        if words and not depth:
            yield first, named, words
            words = []
    if words:
        raise ZoneError(f"the record of line {first} of the zone does not end")


def _unescaped(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[2]
        octet = bytes([int(found[1]) & 0xFF])
        return octet.decode("utf-8", "surrogateescape")

    return _ESCAPE.sub(one, text) if "\\" in text else text
