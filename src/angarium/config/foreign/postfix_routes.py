"""Ways of a Postfix: relayhost, and the lines of transport(5) with the services they name.

A next hop in brackets is a host, without them a domain whose MX are asked for. Here `gateway` asks
for the MX of what it names and wins over `routes`, so where the file has a gateway domains have one
too.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from angarium.config.foreign.draft import GLOBAL, Draft, Place
from angarium.config.foreign.postfix_files import PORTS, Parameter, words_of

LMTP_PORT: Final = "24"  # lmtp_tcp_port
HOP: Final = re.compile(r"\[([^\[\]]+)\](?::(\w+))?|([^\[\]:/]+)(?::(\w+))?")


@dataclass(frozen=True, slots=True)
class Hop:
    """A next hop. `exact`: a host, whose MX are not asked for."""

    host: str
    port: str
    exact: bool

    @property
    def is_address(self) -> bool:
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True

    @property
    def gateway(self) -> str:
        literal = f"[{self.host}]" if ":" in self.host else self.host
        return f"{literal}:{self.port}" if self.port else literal

    @property
    def route(self) -> str:
        literal = f"[{self.host}]" if ":" in self.host else self.host
        kind = "a" if self.exact else "mx"
        return f"smtp://{literal}?type={kind}" + (f"&port={self.port}" if self.port else "")


def hops(text: str, *, lmtp: bool = False) -> list[Hop]:
    """Return the next hops of a text, [] if it has what is none."""
    return list(_each(text, lmtp=lmtp)) if text else []


def _each(text: str, *, lmtp: bool) -> Iterator[Hop]:
    found = [HOP.fullmatch(word.removeprefix("inet:")) for word in words_of(text)]
    for each in found if all(found) else ():
        assert each is not None
        host, port = each[1] or each[3], each[2] or each[4] or (LMTP_PORT if lmtp else "")
        exact = bool(each[1]) or lmtp  # LMTP does not ask for MX
        yield Hop(host.removeprefix("IPv6:").strip(), PORTS.get(port, port), exact)


def send_to(draft: Draft, found: list[Hop], from_: Parameter, place: Place) -> None:
    """Set the way to next hops."""
    what = f"{from_.name} = {from_.text}"
    by_gateway = len(found) == 1 and (not found[0].exact or found[0].is_address)
    held = bool(place) and draft.value("gateway") is not None
    if by_gateway or (held and len(found) == 1):
        draft.set("gateway", found[0].gateway, from_.where, what, place)
        if not by_gateway:
            draft.leave(from_.where, what, f"gateway asks for the MX of {found[0].host} first")
    elif held:
        draft.leave(from_.where, what, "gateway of the file wins over routes; write one gateway")
    else:
        draft.set("routes", tuple(each.route for each in found), from_.where, what, place)


def send_directly(draft: Draft, domain: str, from_: Parameter, place: Place) -> None:
    """Let a domain go by its own MX, whatever way the file has for others."""
    what = f"{from_.name} = {from_.text}"
    if draft.value("gateway", GLOBAL) is None:
        if draft.value("routes", GLOBAL) is not None:
            draft.set("routes", ("__mx__",), from_.where, what, place)
    elif domain.startswith("."):
        draft.leave(from_.where, what, "gateway of the file wins; write one for each domain")
    else:
        draft.set("gateway", domain, from_.where, what, place)
