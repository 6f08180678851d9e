"""Macros in texts of policy: %{vctx_mess:key}, %{spfv1:ir}, %{rfc2822:headers}, %m.

    if asks_name(text): ...             a name validated by DNS is wanted, for %{spfv1:p}
    expand(text, Situation(...))        the text, with what they stand for

One engine for all languages policy is written in. It is pure: whoever asks has put together what
there is at this moment. A macro in braces nobody knows stands for nothing, and so does one for
which there is nothing yet, as a sender before MAIL FROM; a "%" which begins no macro stays.

Sources: RFC 7208 section 7 for spfv1.
"""

import ipaddress
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final, Protocol

from angarium.core.address import split
from angarium.mail.auth.spf.client import POSTMASTER, UNKNOWN
from angarium.mail.auth.spf.macros import single, transformed
from angarium.mail.format.header import limits

CRLF: Final = b"\r\n"

_MACRO: Final = re.compile(
    rb"%(?:\{(?P<quoted>[^{}]*)\}"
    rb"|(?P<name>[A-Za-z]+(?:_[A-Za-z]+)*)(?:\{(?P<argument>[^{}]*)\})?"
    rb"|(?P<sign>%))"
)
_ASKS_NAME: Final = re.compile(rb"%\{(?:spfv1:)?[pP][0-9]*[rR]?[-.+,/_=]*\}")
_LINES: Final = re.compile(rb"[^\n]*\n|[^\n]+")
_RFC2822: Final = re.compile(r"(message|headers|body|text|part)(?:,(\d+)(b?))?(?:,(\d+))?")


class Content(Protocol):
    """The message, as octets. Parts are numbered from 1; b"": there is no such part."""

    @property
    def octets(self) -> bytes:
        """Return header and body."""
        ...

    def part(self, number: int) -> bytes:
        """Return a part with its header, as it came."""
        ...

    def text_part(self, number: int) -> bytes:
        """Return a part of type text with its header, as it came."""
        ...

    def text(self, number: int) -> bytes:
        """Return the text of a part of type text, decoded, in UTF-8."""
        ...

    def header(self, name: bytes) -> bytes:
        """Return the value of the first field of that name, unfolded."""
        ...


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known at the moment a text is expanded.

    Attributes:
        connection: context of the connection.
        message: context of the message.
        content: the message; None before there is one.
        sender: of the envelope; "" if null, or not said yet.
        recipient: of the envelope.
        helo: what the peer called itself.
        peer: its IP address; "" if there is none.
        peer_name: its name, validated by DNS; see `asks_name`.
        host: our name.
        now: Unix time.
        letters: further macros of custom_logger, by name: i, b, g, B, BI, CI ...
    """

    connection: Mapping[str, str] = field(default_factory=dict)
    message: Mapping[str, str] = field(default_factory=dict)
    content: Content | None = None
    sender: str = ""
    recipient: str = ""
    helo: str = ""
    peer: str = ""
    peer_name: str = UNKNOWN
    host: str = ""
    now: float = 0.0
    letters: Mapping[str, Callable[[], str]] = field(default_factory=dict)


def asks_name(text: bytes) -> bool:
    """Return whether a name of the peer is wanted, which only DNS can validate."""
    return b"%{" in text and _ASKS_NAME.search(text) is not None


def expand(text: bytes, situation: Situation) -> bytes:
    """Return the text with what its macros stand for."""
    if b"%" not in text:
        return text

    def replaced(found: re.Match[bytes]) -> bytes:
        if found["sign"]:
            return b"%"
        if found["quoted"] is not None:
            return _quoted(_text(found["quoted"]), situation)
        argument = found["argument"]
        known = None if argument is None else _text(argument)
        value = _plain(_text(found["name"]), known, situation)
        return found[0] if value is None else value

    return _MACRO.sub(replaced, text)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _quoted(inner: str, situation: Situation) -> bytes:
    """Return what %{inner} stands for."""
    space, colon, rest = inner.partition(":")
    if not colon:
        # Without a name space: letters of SPF as in its records, else those of the loggers.
        value = spf(inner, situation)
        if value is not None:
            return _octets(value)
        return _plain(inner, None, situation) or b""
    if space == "rfc2822":
        return _rfc2822(rest, situation.content)
    if space == "rfc822" and rest == "date":
        return _octets(format_datetime(datetime.fromtimestamp(situation.now, UTC)))
    if space == "spfv1":
        return _octets(spf(rest, situation) or "")
    return _plain(space, rest, situation) or b""


def _plain(name: str, argument: str | None, situation: Situation) -> bytes | None:
    """Return what a macro of custom_logger stands for; None if there is none of that name."""
    if name in ("vctx_conn", "vctx_mess") and argument is not None:
        context = situation.connection if name == "vctx_conn" else situation.message
        return _octets(context.get(argument, ""))
    if name == "h" and argument is not None:
        return situation.content.header(_octets(argument).lower()) if situation.content else b""
    if name in ("m", "M", "r", "R"):
        address = situation.sender if name in "mM" else situation.recipient
        return _octets(split(address)[name.isupper()])
    if name == "H":
        return _octets(situation.peer)
    if name == "t":
        at = time.localtime(situation.now)
        return _octets(time.strftime(argument, at) if argument else str(int(situation.now)))
    if name == "us":
        digits = int(argument) if argument and argument.isdecimal() and len(argument) < 3 else 6
        return _octets(f"{situation.now:.{min(digits, 6)}f}")
    value = situation.letters.get(name)
    return None if value is None else _octets(value())


# -- SPF --------------------------------------------------------------------------------------


def spf(macro: str, situation: Situation) -> str | None:
    """Return what the inside of a macro of SPF stands for, as "ir" or "l1r-"; None: it is none."""
    found = single(macro)
    return None if found is None else transformed(found, _letter(found.letter, situation))


def _letter(letter: str, situation: Situation) -> str:
    local, domain = split(situation.sender)
    if not situation.sender:
        domain = situation.helo  # RFC 7208 section 2.4: the null reverse-path
    values: Mapping[str, Callable[[], str]] = {
        "s": lambda: f"{local or POSTMASTER}@{domain}" if domain else "",
        "l": lambda: (local or POSTMASTER) if domain else "",
        "o": lambda: domain,
        "d": lambda: domain,
        "i": lambda: dotted(situation.peer),
        "p": lambda: situation.peer_name,
        "v": lambda: "ip6" if ":" in situation.peer else "in-addr",
        "h": lambda: situation.helo,
        "c": lambda: situation.peer,
        "r": lambda: situation.host or UNKNOWN,
        "t": lambda: str(int(situation.now)),
    }
    return values[letter]()


def dotted(address: str) -> str:
    """Return an address for %{i}: of IPv6 each half octet, between dots."""
    if ":" not in address:
        return address
    try:
        packed = ipaddress.IPv6Address(address).packed
    except ValueError:
        return address
    return ".".join(packed.hex().upper())


# -- the message ------------------------------------------------------------------------------


def _rfc2822(rest: str, content: Content | None) -> bytes:
    found = _RFC2822.fullmatch(rest)
    if found is None or content is None:
        return b""
    what, first, octets, second = found.groups()
    count = None if first is None else int(first[:9])
    if what in ("text", "part"):
        value = _part(what, count, None if second is None else int(second[:9]), content)
        return _ended(value) if value else b""
    whole = content.octets
    size, start = limits(whole)
    if what == "headers":
        return _ended(whole[:size])
    if what == "body":
        whole = whole[start:]
    if count is None:
        return _ended(whole)
    return _ended(whole[:count] if octets else first_lines(whole, count))


def _part(what: str, number: int | None, lines: int | None, content: Content) -> bytes:
    if what == "part":
        return content.part(1 if number is None else number)
    if number is None:
        return content.text(1)
    if lines is None:
        return content.text_part(number)
    return first_lines(content.text(number), lines)


def first_lines(octets: bytes, count: int) -> bytes:
    """Return the first lines of a text."""
    end = 0
    for number, line in enumerate(_LINES.finditer(octets)):
        if number == count:
            break
        end = line.end()
    return octets[:end]


def _ended(octets: bytes) -> bytes:
    """End with a line end: what these macros stand for always does."""
    return octets if octets.endswith(CRLF) else octets + CRLF
