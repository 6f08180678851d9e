"""Values by address: sets of address blocks, looked up faster than DNS could answer.

    table = Table.of([("192.0.2.0/24", "b"), ("192.0.2.7", None)])
    table.find("192.0.2.9")     "b"
    table.find("192.0.2.7")     None, which also is what stands for "not in it"

The narrowest block decides; of the same block given twice, the later. A table does not change: it
is built once, off the loop, and put in the place of the one before.

The rule: blocks are cut into ranges which do not overlap when the table is built, so a look-up is
one bisection of numbers.

`rbldnsd` reads files of that name server (rbldnsd(8), datasets ip4set and ip6trie), with " :"
before the values of an address of IPv6.
"""

import ipaddress
import re
import socket
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

LISTED: Final = "127.0.0.2"  # what an address is, where a file does not say


class _Block(NamedTuple, Generic[T]):
    first: int
    last: int
    value: T | None


class Table(Generic[T]):
    """Blocks of addresses, with a value each. Addresses of IPv4 in IPv6 are those of IPv4."""

    __slots__ = ("_starts4", "_starts6", "_values4", "_values6", "size")

    def __init__(self, four: list[_Block[T]], six: list[_Block[T]]) -> None:
        self.size = len(four) + len(six)
        starts, self._values4 = _flat(four)
        self._starts4 = array("Q", starts)
        self._starts6, self._values6 = _flat(six)

    @classmethod
    def of(cls, entries: Iterable[tuple[str, T | None]]) -> "Table[T]":
        """Make a table of blocks, "a.b.c.d/n" or an address, and their values.

        Raises:
            ValueError: one is no block.
        """
        four: list[_Block[T]] = []
        six: list[_Block[T]] = []
        for text, value in entries:
            is_six, first, last = block(text)
            (six if is_six else four).append(_Block(first, last, value))
        return cls(four, six)

    def find(self, address: str) -> T | None:
        """Return the value of an address; None if it is in no block.

        Raises:
            ValueError: it is no address.
        """
        is_six, number = numbered(address)
        if is_six:
            at = bisect_right(self._starts6, number) - 1
            return self._values6[at] if at >= 0 else None
        at = bisect_right(self._starts4, number) - 1
        return self._values4[at] if at >= 0 else None


def _flat(blocks: list[_Block[T]]) -> tuple[list[int], list[T | None]]:
    """Return where each range begins and what holds from there on."""
    starts: list[int] = []
    values: list[T | None] = []

    def holds(at: int, value: T | None) -> None:
        if starts and starts[-1] == at:
            values[-1] = value
        else:
            starts.append(at)
            values.append(value)

    open_: list[_Block[T]] = []
    # Wider ones first, so that narrower ones come to stand upon them; the sort keeps the order.
    for each in sorted(blocks, key=lambda each: (each.first, -each.last)):
        while open_ and open_[-1].last < each.first:
            ended = open_.pop()
            holds(ended.last + 1, open_[-1].value if open_ else None)
        if open_ and open_[-1].last == each.last and open_[-1].first == each.first:
            open_.pop()
        open_.append(each)
        holds(each.first, each.value)
    while open_:
        ended = open_.pop()
        holds(ended.last + 1, open_[-1].value if open_ else None)
    return starts, values


def numbered(address: str) -> tuple[bool, int]:
    """Return whether it is one of IPv6, and its number. Raises ValueError."""
    try:
        if ":" not in address:
            return False, int.from_bytes(socket.inet_pton(socket.AF_INET, address), "big")
        packed = socket.inet_pton(socket.AF_INET6, address)
    except (OSError, ValueError):  # a zero octet, letters which are not ASCII
        raise ValueError(f"{address!r} is no IP address") from None
    number = int.from_bytes(packed, "big")
    return (False, number & 0xFFFFFFFF) if number >> 32 == 0xFFFF else (True, number)


def block(text: str) -> tuple[bool, int, int]:
    """Return whether it is one of IPv6, its first and its last address. Raises ValueError."""
    address, slash, length = text.strip().partition("/")
    is_six, number = numbered(address)
    if not slash:
        return is_six, number, number
    bits = 128 if is_six else 32
    written = 128 if ":" in address else 32
    if not (length.isascii() and length.isdecimal()) or int(length[:4]) > written:
        raise ValueError(f"{text!r} is no block of addresses")
    free = bits - max(int(length) - (written - bits), 0)
    first = number >> free << free
    return is_six, first, first + (1 << free) - 1


def blocks(first: int, last: int, bits: int = 32) -> Iterator[tuple[int, int]]:
    """Yield the fewest blocks which make up a range, as first and last address."""
    while first <= last:
        free = min((first & -first).bit_length() - 1 if first else bits, bits)
        free = min(free, (last - first + 1).bit_length() - 1)
        yield first, first + (1 << free) - 1
        first += 1 << free


# -- files of rbldnsd -------------------------------------------------------------------------

_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN: Final = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_COLON4: Final = re.compile(r"\s*:|\s+")
_COLON6: Final = re.compile(r"\s+:?")


def rbldnsd(lines: Iterable[str], *, text: bool = False) -> "Table[bytes]":
    """Read a file of rbldnsd: values are addresses, or the texts, in UTF-8.

    Raises:
        ValueError: a line is none; it says which.
    """
    four: list[_Block[bytes]] = []
    six: list[_Block[bytes]] = []
    default = (LISTED, "")
    known: dict[str, bytes] = {}  # a million lines have few different values
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line or line[0] in "#;$":
            continue
        if line[0] == ":":
            default = _values(line[1:], default)
            continue
        if _PLAIN.fullmatch(line):  # as most lines of large files are
            said = default[text]
            value = known.get(said) or known.setdefault(said, said.encode("utf-8", "replace"))
            number4 = int.from_bytes(socket.inet_aton(line), "big")
            four.append(_Block(number4, number4, value))
            continue
        out = line[0] == "!"
        line = line[1:].strip() if out else line
        try:
            where, rest = _where(line)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        listed: bytes | None = None
        if not out:
            said = (_values(rest, default) if rest else default)[text]
            listed = known.get(said) or known.setdefault(said, said.encode("utf-8", "replace"))
        for is_six, first, last in where:
            (six if is_six else four).append(_Block(first, last, listed))
    return Table(four, six)


def _values(rest: str, default: tuple[str, str]) -> tuple[str, str]:
    """Return address and text of "A:TXT"; ":TXT" and a text alone keep the address."""
    first, colon, text = rest.partition(":")
    first = first.strip()
    if re.fullmatch(r"\d{1,3}", first):
        return f"127.0.0.{first}", text.strip() if colon else default[1]
    if re.fullmatch(r"[\d.]{7,15}", first):
        return first, text.strip() if colon else default[1]
    return default[0], (text.strip() if colon and not first else rest.strip())


def _where(line: str) -> tuple[Sequence[tuple[bool, int, int]], str]:
    """Return the blocks a line begins with, and what follows."""
    head = line.split(None, 1)[0]
    is_six = head.count(":") > 1 and not re.match(r"\d+\.\d+", head)
    separator = (_COLON6 if is_six else _COLON4).search(line)
    where, rest = (line[: separator.start()], line[separator.end() :]) if separator else (line, "")
    if is_six:
        return [block(where)], rest
    low, dash, high = where.partition("-")
    if not dash:
        return [block(_whole(where))], rest
    return [(False, first, last) for first, last in _range(low, high, where)], rest


def _whole(where: str) -> str:
    """Return "192.0.2" as "192.0.2.0/24"."""
    address, slash, length = where.partition("/")
    missing = 3 - address.count(".")
    if missing <= 0:
        return where
    return address + ".0" * missing + (f"/{length}" if slash else f"/{32 - 8 * missing}")


def _range(low: str, high: str, where: str) -> Iterator[tuple[int, int]]:
    """Yield the blocks of "192.0.2.1-192.0.2.9", or "192.0.2.1-9", or "192.0.2-4"."""
    missing = 3 - low.count(".")
    if "." not in high:
        high = ".".join([*low.split(".")[:-1], high])
    try:
        first = int(ipaddress.IPv4Address(low + ".0" * missing))
        last = int(ipaddress.IPv4Address(high + ".255" * (3 - high.count("."))))
    except ValueError:
        raise ValueError(f"{where!r} is no range of addresses") from None
    if last < first:
        raise ValueError(f"{where!r} is no range of addresses")
    return blocks(first, last)
