"""The name of a peer, validated: what its address is called, and whether those names lead back.

By RFC 7208 section 5.5 and RFC 8601 section 2.7.3 (iprev): at most ten names are tried, and a name
counts if one of its addresses is the peer's.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import Final

from angarium.net.answer import Answer, Status
from angarium.net.dnscache import Resolver

MOST_NAMES: Final = 10  # RFC 7208 section 4.6.4
_FINE: Final = (Status.NOERROR, Status.NODATA)


@dataclass(frozen=True, slots=True)
class Names:
    """What DNS says of an address.

    Attributes:
        names: of the address.
        validated: those which lead back to it.
        reverse, forward: what went wrong on the way there and back; None: nothing did.
    """

    names: tuple[str, ...] = ()
    validated: tuple[str, ...] = ()
    reverse: Status | None = None
    forward: Status | None = None

    def best(self, domain: str) -> str:
        """Return the name to tell: that domain, a name below it, or any; "" without one."""
        domain = domain.lower()
        for name in self.validated:
            if name == domain:
                return name
        below = [name for name in self.validated if domain and name.endswith(f".{domain}")]
        return (below or [*self.validated, ""])[0]


async def names_of(resolver: Resolver, address: str) -> Names:
    """Ask for the names of an address, and for the addresses of these."""
    try:
        plain = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return Names(reverse=Status.NXDOMAIN)
    if isinstance(plain, ipaddress.IPv6Address) and plain.ipv4_mapped is not None:
        plain = plain.ipv4_mapped
    found = await resolver.ptr(str(plain))
    if found.status not in _FINE:
        return Names(reverse=found.status)
    names = found.records[:MOST_NAMES]
    family = socket.AF_INET if plain.version == 4 else socket.AF_INET6
    answers: list[Answer[str]] = await asyncio.gather(
        *(resolver.address(name, (family,)) for name in names)
    )
    validated = tuple(
        name
        for name, answer in zip(names, answers, strict=True)
        if any(ipaddress.ip_address(each) == plain for each in answer.records)
    )
    failed = [each.status for each in answers if each.status not in _FINE]
    return Names(names, validated, forward=None if validated or not failed else failed[0])
