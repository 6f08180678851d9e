"""Mailboxes and domains: split, compare, bring to normal form (RFC 5321, 5890, 6531).

An envelope address is a `str`, exactly as the peer gave it without the angle brackets; "" is the
null sender. Its domain for routing is the normal form that `routing_domain` gives.
"""

import re
from typing import Final

import idna

MAX_LOCAL: Final = 64  # octets, RFC 5321 section 4.5.3.1.1
MAX_DOMAIN: Final = 255  # octets, section 4.5.3.1.2
MAX_PATH: Final = 256  # octets with the brackets, section 4.5.3.1.3

# sub-domain = Let-dig [Ldh-str]; the underscore is not in the RFC but in many host names.
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_ASCII_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LITERAL: Final = re.compile(r"\[(?:IPv6:[0-9A-Fa-f:.]{2,45}|\d{1,3}(?:\.\d{1,3}){3})\]")


def split(address: str) -> tuple[str, str]:
    """Return (local part, domain); the domain is "" if there is none.

    >>> split('"a@b"@example.com')
    ('"a@b"', 'example.com')
    """
    local, at, domain = address.rpartition("@")
    return (local, domain) if at else (address, "")


def is_literal(domain: str) -> bool:
    """Say whether the domain is an address literal such as "[192.0.2.1]"."""
    return domain.startswith("[")


def routing_domain(domain: str) -> str | None:
    """Return the form by which mail is queued, or None if it is no domain.

    Lower case; a name with other than ASCII letters becomes A-labels; a trailing dot is no
    domain, as in RFC 5321 (the grammar has none); an address literal is kept, lower case.
    """
    if domain.isascii():
        if len(domain) <= MAX_DOMAIN and _ASCII_DOMAIN.fullmatch(domain):
            return domain.lower()
        return domain.lower() if _LITERAL.fullmatch(domain) else None
    try:
        encoded = idna.encode(domain, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return None
    return encoded if len(encoded) <= MAX_DOMAIN else None
