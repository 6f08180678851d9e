"""Records of SPF: which text of a domain is one, and what it says (RFC 7208 sections 3 to 6).

    terms = chosen(texts)           the one record among the TXT records; None: there is none
    record = parsed(terms)          its mechanisms and modifiers, or SyntaxFault

A fault anywhere makes the whole record void, whatever stands before it (section 4.6), so a record
is parsed to its end before any of it is used.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from angarium.mail.auth.spf.macros import MacroString, SyntaxFault, domain_spec, macro_string

Address = IPv4Address | IPv6Address

VERSION: Final = b"v=spf1"
_VERSION: Final = re.compile(rb"v=spf1(?: |\Z)", re.IGNORECASE)
# RFC 4406 section 3.1: spf2.0/mfrom,pra. Minor versions after 0 are to be understood as 0.
_VERSION_2: Final = re.compile(
    rb"spf2\.[0-9]+/([a-z0-9_-]+(?:,[a-z0-9_-]+)*)(?: |\Z)", re.IGNORECASE
)
_MODIFIER: Final = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)")
_DIRECTIVE: Final = re.compile(r"([-+?~]?)([A-Za-z][A-Za-z0-9]*)([:/].*)?")
_LENGTH: Final = r"(?:0|[1-9][0-9]{0,2})"
_DUAL: Final = re.compile(rf"(.*?)(?:/({_LENGTH}))?(?://({_LENGTH}))?", re.DOTALL)
# Parsing one takes about as long as all the rest of a check. Larger ones are no policy of anybody
# who means well, and would make what is kept large.
_KEPT_SIZE: Final = 600
_MAX_TERM: Final = 100  # characters of a term which an error repeats


class Result(StrEnum):
    """What a check ends in (section 2.6)."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


_QUALIFIERS: Final = {
    "": Result.PASS,
    "+": Result.PASS,
    "-": Result.FAIL,
    "~": Result.SOFTFAIL,
    "?": Result.NEUTRAL,
}


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One mechanism.

    Attributes:
        name: all, include, a, mx, ptr, ip4, ip6 or exists.
        result: what it says where it matches.
        text: as it is written.
        spec: the domain it is about; None: the domain whose record this is.
        network: of ip4 and ip6, as a number whose last bits are 0.
        four: how many bits of an IPv4 address count.
        six: the same for IPv6.
    """

    name: str
    result: Result
    text: str
    spec: MacroString | None = None
    network: int = 0
    four: int = 32
    six: int = 128

    def covers(self, address: Address) -> bool:
        """Say whether the network of an ip4 or ip6 has an address."""
        if address.version == 4:
            return self.name == "ip4" and _prefix(int(address), 32, self.four) == self.network
        return self.name == "ip6" and _prefix(int(address), 128, self.six) == self.network

    def near(self, address: Address, other: Address) -> bool:
        """Say whether two addresses of one version are the same in the bits which count."""
        bits, counted = (32, self.four) if address.version == 4 else (128, self.six)
        return _prefix(int(address), bits, counted) == _prefix(int(other), bits, counted)


@dataclass(frozen=True, slots=True)
class Record:
    """What a domain says. The modifiers are names of domains, with macros."""

    mechanisms: tuple[Mechanism, ...]
    redirect: MacroString | None = None
    explanation: MacroString | None = None


def _prefix(number: int, bits: int, counted: int) -> int:
    return number >> (bits - counted) << (bits - counted)


def chosen(texts: Iterable[bytes], scope: str = "") -> bytes | None:
    """Return the terms of the record among TXT records, without its version.

    Args:
        scope: "" for SPF; "mfrom" or "pra" for Sender ID, which prefers records of its own
            (RFC 4406 section 4.4) and falls back on those of SPF.

    Raises:
        SyntaxFault: There is more than one.
    """
    texts = tuple(texts)
    found: list[bytes] = []
    if scope:
        for text in texts:
            version = _VERSION_2.match(text)
            if version and scope.encode() in version[1].lower().split(b","):
                found.append(text[version.end() :])
    if not found:
        found = [text[len(VERSION) :] for text in texts if _VERSION.match(text)]
    if len(found) > 1:
        raise SyntaxFault("the domain has more than one record")
    return found[0] if found else None


def parsed(terms: bytes) -> Record:
    """Return what a record says; `terms` is what follows the version. Raises SyntaxFault."""
    return _kept(terms) if len(terms) <= _KEPT_SIZE else _parsed(terms)


@lru_cache(maxsize=1000)
def _kept(terms: bytes) -> Record:
    return _parsed(terms)


def _parsed(terms: bytes) -> Record:
    if not terms.isascii():
        raise SyntaxFault("the record is not in ASCII")
    mechanisms: list[Mechanism] = []
    modifiers: dict[str, MacroString] = {}
    for term in terms.decode("ascii").split(" "):
        if not term:
            continue
        try:
            modifier = _MODIFIER.fullmatch(term)
            if modifier is None:
                mechanisms.append(_mechanism(term))
            else:
                _modify(modifiers, modifier[1].lower(), modifier[2])
        except SyntaxFault as fault:
            raise SyntaxFault(f"{term[:_MAX_TERM]!r}: {fault.message}") from None
    return Record(tuple(mechanisms), modifiers.get("redirect"), modifiers.get("exp"))


def _modify(modifiers: dict[str, MacroString], name: str, value: str) -> None:
    if name not in ("redirect", "exp"):
        macro_string(value)  # Those nobody knows are passed over, but must be well-formed.
        return
    if name in modifiers:
        raise SyntaxFault("this modifier stands there twice")
    modifiers[name] = domain_spec(value)


def _mechanism(term: str) -> Mechanism:
    found = _DIRECTIVE.fullmatch(term)
    if found is None:
        raise SyntaxFault("this is neither a mechanism nor a modifier")
    result, name, rest = _QUALIFIERS[found[1]], found[2].lower(), found[3] or ""
    match name:
        case "all":
            if rest:
                raise SyntaxFault("all stands alone")
            return Mechanism(name, result, term)
        case "ip4" | "ip6":
            return _network(name, result, term, rest)
        case "a" | "mx":
            return _hosts(name, result, term, rest)
        case "include" | "exists" | "ptr":
            if not rest and name == "ptr":
                return Mechanism(name, result, term)
            if not rest.startswith(":"):
                raise SyntaxFault("a domain is missing")
            return Mechanism(name, result, term, domain_spec(rest[1:]))
        case _:
            raise SyntaxFault("there is no such mechanism")


def _hosts(name: str, result: Result, term: str, rest: str) -> Mechanism:
    """Return an a or mx: ":" domain-spec "/" bits "//" bits, each of which may be left out."""
    found = _DUAL.fullmatch(rest)
    spec, four, six = found.groups() if found else (rest, None, None)
    if spec and not spec.startswith(":"):
        raise SyntaxFault("what follows the name is neither a domain nor a length")
    return Mechanism(
        name,
        result,
        term,
        domain_spec(spec[1:]) if spec else None,
        four=_bits(four, 32),
        six=_bits(six, 128),
    )


def _network(name: str, result: Result, term: str, rest: str) -> Mechanism:
    if not rest.startswith(":"):
        raise SyntaxFault("an address is missing")
    text, slash, length = rest[1:].partition("/")
    if slash and not re.fullmatch(_LENGTH, length):
        raise SyntaxFault("the length is no number of bits")
    bits = 32 if name == "ip4" else 128
    counted = _bits(length or None, bits)
    if "%" in text:  # A zone of an address belongs to a host; Python would take it.
        raise SyntaxFault("this is no address")
    try:
        address: Address = IPv4Address(text) if name == "ip4" else IPv6Address(text)
    except AddressValueError:
        raise SyntaxFault("this is no address") from None
    network = _prefix(int(address), bits, counted)
    if name == "ip4":
        return Mechanism(name, result, term, network=network, four=counted)
    return Mechanism(name, result, term, network=network, six=counted)


def _bits(text: str | None, most: int) -> int:
    """Return how many bits of an address count."""
    bits = most if text is None else int(text)
    if bits > most:
        raise SyntaxFault(f"an address has no more than {most} bits")
    return bits
