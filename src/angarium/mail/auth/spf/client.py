"""`Client`: who is checked by SPF, and what the letters of its macros stand for.

Pure facts about one client: what only DNS knows, as %{p}, is the business of `check`.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import idna

from angarium.core.address import split
from angarium.mail.auth.spf.record import Address

POSTMASTER: Final = "postmaster"  # the local part of a sender who has none, section 4.3
UNKNOWN: Final = "unknown"  # what %{p} and %{r} are where nobody knows


@dataclass(frozen=True, slots=True)
class Client:
    """Who is checked.

    Attributes:
        helo: what the peer called itself.
        sender: of the envelope; "" is the null sender, for which HELO stands (section 2.4).
        host: our name, for %{r}.
        now: Unix time, for %{t}.
    """

    address: Address
    helo: str = ""
    sender: str = ""
    host: str = UNKNOWN
    now: float = 0.0

    @property
    def mailbox(self) -> tuple[str, str]:
        """Return local part and domain for which the client claims to send."""
        local, domain = split(self.sender)
        if not self.sender or not domain:
            return POSTMASTER, self.sender or self.helo
        return local or POSTMASTER, domain

    @property
    def domain(self) -> str:
        """Return the domain whose policy is asked, as DNS knows it."""
        return _ascii(self.mailbox[1]).removesuffix(".")

    def letters(self) -> dict[str, str]:
        """Return what macros stand for, by letter; without %{d} and %{p} (section 7.2)."""
        local, domain = self.mailbox[0], self.domain
        return {
            "s": f"{local}@{domain}",
            "l": local,
            "o": domain,
            "i": dotted(self.address),
            "v": "in-addr" if self.address.version == 4 else "ip6",
            "h": self.helo,
            "c": str(self.address),
            "r": self.host or UNKNOWN,
            "t": str(int(self.now)),
        }


def client_address(text: str) -> Address:
    """Return an address as SPF looks at it: IPv4 within IPv6 is IPv4. Raises ValueError."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def dotted(address: Address) -> str:
    """Return an address for %{i}: of IPv6 each half octet, between dots."""
    if isinstance(address, IPv4Address):
        return str(address)
    return ".".join(address.packed.hex().upper())


def _ascii(domain: str) -> str:
    """Return a domain for DNS, with A-labels (RFC 8616 section 4); what is none stays as it is."""
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return domain
