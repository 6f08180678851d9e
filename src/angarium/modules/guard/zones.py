"""Lists in DNS, as they are configured: a domain, which of its answers count, and for how much.

    zen.example.org                    any answer in 127.0.0.0/8 counts 1
    zen.example.org*3                  ... 3
    zen.example.org=127.0.0.[2..4;10]  only these answers
    good.example.net*-2                who stands there is trusted that much

The form is that of Postfix's postscreen_dnsbl_sites, so what is known can be copied.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

_FORM: Final = re.compile(r"([^=*\s]+)(?:=([^*\s]+))?(?:\*([+-]?[0-9]{1,4}))?")
_OCTET: Final = re.compile(r"\[([^\]]+)\]|([0-9]{1,3})")
_RANGE: Final = re.compile(r"([0-9]{1,3})(?:\.\.([0-9]{1,3}))?")
_LOOPBACK: Final = ipaddress.IPv4Network("127.0.0.0/8")
Octets = tuple[frozenset[int], ...]


@dataclass(frozen=True, slots=True)
class Zone:
    """A list. `answers` are the octets an answer may have; empty: any of 127.0.0.0/8."""

    domain: str
    weight: int = 1
    answers: Octets = ()
    text: str = field(default="", compare=False)  # as it is written

    def question(self, address: str) -> str:
        """Return the name which is asked for about an address."""
        pointer = ipaddress.ip_address(address).reverse_pointer
        return f"{pointer.rpartition('.')[0].rpartition('.')[0]}.{self.domain}"

    def counts(self, records: Iterable[str]) -> bool:
        """Say whether answers say that the address is on the list.

        An answer outside of 127.0.0.0/8 is that of whoever took the domain over, of no list.
        """
        return any(self._counts(each) for each in records)

    def _counts(self, record: str) -> bool:
        try:
            address = ipaddress.IPv4Address(record)
        except ValueError:
            return False
        if address not in _LOOPBACK:
            return False
        if not self.answers:
            return True
        return all(
            octet in wanted for octet, wanted in zip(address.packed, self.answers, strict=True)
        )

    def __str__(self) -> str:
        return self.text or self.domain


def zone(text: str) -> Zone:
    """Return a list as it is written. Raises ValueError."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no list such as zen.example.org=127.0.0.[2..4]*3")
    domain = found[1].strip(".").lower()
    labels = domain.split(".")
    if not all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", each) for each in labels):
        raise ValueError(f"{found[1]!r} is no domain")
    weight = int(found[3]) if found[3] else 1
    if not weight:
        raise ValueError(f"{text!r} counts nothing")
    return Zone(domain, weight, _octets(found[2]) if found[2] else (), text.strip())


def _octets(text: str) -> Octets:
    found: list[frozenset[int]] = []
    at = 0
    while at < len(text):
        part = _OCTET.match(text, at)
        if part is None:
            break
        found.append(_numbers(part[1] or part[2]))
        at = part.end()
        if at < len(text) and text[at] == ".":
            at += 1
    if len(found) != 4 or at != len(text):
        raise ValueError(f"{text!r} is no answer such as 127.0.0.[2..4;10]")
    return tuple(found)


def _numbers(text: str) -> frozenset[int]:
    numbers: set[int] = set()
    for part in text.split(";"):
        found = _RANGE.fullmatch(part)
        if found is None:
            raise ValueError(f"{part!r} is no number or range such as 2..4")
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last <= 255:
            raise ValueError(f"{part!r} is no range of octets")
        numbers.update(range(first, last + 1))
    return frozenset(numbers)
