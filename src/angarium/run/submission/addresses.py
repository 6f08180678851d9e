"""Addresses as people and programs write them: in a header, or as a word of a command line.

A list is gone through once, from left to right; what cannot be understood is an error with the
text, never a guess: a wrong recipient is worse than none.
"""

import re
from collections.abc import Iterator
from typing import Final

from angarium.core.address import routing_domain, split
from angarium.core.errors import Error

_SHOWN: Final = 80
MOST: Final = 254  # octets of an address, RFC 5321 section 4.5.3.1.3 without the brackets
_TOKEN: Final = re.compile(
    r'(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<literal>\[[^\]\[]*\])|(?P<special>[<>,:;()"\[\]\\])'
    r"|(?P<blank>\s+)|(?P<text>[^\s<>,:;()\"\[\]\\]+)",
    re.DOTALL,
)
# dot-string and quoted-string, RFC 5321 section 4.1.2 with RFC 6531 section 3.3
_LOCAL: Final = re.compile(
    r'[^\x00-\x20\x7f-\x9f"(),:;<>@\[\\\].]+(?:\.[^\x00-\x20\x7f-\x9f"(),:;<>@\[\\\].]+)*'
    r'|"(?:[^\x00-\x1f\x7f-\x9f"\\]|\\[ -~])*"'
)
_ROUTE: Final = re.compile(r"@[^:]*:")  # RFC 5322 section 4.4: obsolete, and left out


class AddressError(Error):
    """This is no address, or no list of them."""


def mailbox(text: str, host: str) -> str:
    """Return an address for an envelope; one without a domain is of this host.

    Raises:
        AddressError: it is none.
    """
    text = text.strip()
    if text.startswith("<") and text.endswith(">"):
        text = _ROUTE.sub("", text[1:-1], count=1) if text.startswith("<@") else text[1:-1]
    local, domain = split(text)
    if not _LOCAL.fullmatch(local):
        raise AddressError("this is no address", address=text[:_SHOWN])
    if not domain:
        if text.endswith("@"):
            raise AddressError("this is no address", address=text[:_SHOWN])
        domain = host
    if routing_domain(domain) is None:
        raise AddressError("this is no domain", address=text[:_SHOWN])
    found = f"{local}@{domain}"
    if len(found.encode("utf-8", "surrogateescape")) > MOST:
        raise AddressError("this address is too long", address=text[:_SHOWN])
    try:
        found.encode()
    except UnicodeEncodeError as error:
        raise AddressError("this address is no UTF-8", address=ascii(text[:_SHOWN])) from error
    return found


def listed(text: str) -> list[str]:
    """Return the addresses of a list (RFC 5322 section 3.4): groups opened, names left out.

    Raises:
        AddressError: a quote, comment or bracket without its end, or one out of place.
    """
    found: list[str] = []
    outside: list[str] = []
    angle: list[str] | None = None  # what stands in angle brackets
    inside = False
    for kind, token in _tokens(text):
        if inside:
            assert angle is not None
            if token == ">" and kind == "special":
                inside = False
            elif kind == "special" and (token in "<;" or (token == "," and not _routed(angle))):
                raise AddressError("a bracket without its end", text=text[:_SHOWN])
            elif kind != "blank":
                angle.append(token)
        elif kind != "special":
            outside.append(token)
        elif token == "<":
            if angle is not None:
                raise AddressError("two addresses without a comma", text=text[:_SHOWN])
            angle, inside = [], True
        elif token in ",;":
            found += _one(outside, angle)
            outside, angle = [], None
        elif token == ":":
            outside = []  # the name of a group
        else:
            raise AddressError(f"{token!r} out of place", text=text[:_SHOWN])
    if inside:
        raise AddressError("a bracket without its end", text=text[:_SHOWN])
    return found + _one(outside, angle)


def _routed(angle: list[str]) -> bool:
    return bool(angle) and angle[0].startswith("@")


def _one(outside: list[str], angle: list[str] | None) -> list[str]:
    written = "".join(outside if angle is None else angle).strip()
    return [_ROUTE.sub("", written, count=1) if written.startswith("@") else written] * bool(
        written
    )


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, token), comments left out."""
    depth = 0
    at = 0
    while at < len(text):
        if depth and text[at] == "\\":
            at += 2
            continue
        if depth and text[at] not in "()":
            at += 1
            continue
        token = _TOKEN.match(text, at)
        assert token is not None  # each character begins one
        at = token.end()
        if token[0] == "(":
            depth += 1
        elif depth:
            depth -= 1
        else:
            yield token.lastgroup or "", token[0]
    if depth:
        raise AddressError("a comment without its end", text=text[:_SHOWN])
