"""Next hops, and how they are written here: as `gateway`, or as `routes`.

`gateway` asks for the MX of what it names and wins over `routes`; so where the file has a gateway,
domains have one too.
"""

import ipaddress
from dataclasses import dataclass

from angarium.config.foreign.draft import Draft, Place


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


def send_to(draft: Draft, found: list[Hop], where: str, what: str, place: Place) -> None:
    """Set the way to next hops.

    Args:
        where: file and line it comes from; what: what stands there.
    """
    by_gateway = len(found) == 1 and (not found[0].exact or found[0].is_address)
    held = bool(place) and draft.value("gateway") is not None
    if by_gateway or (held and len(found) == 1):
        draft.set("gateway", found[0].gateway, where, what, place)
        if not by_gateway:
            draft.leave(where, what, f"gateway asks for the MX of {found[0].host} first")
    elif held:
        draft.leave(where, what, "gateway of the file wins over routes; write one gateway")
    elif place and place[-1][0] != "domain":
        draft.leave(where, what, "routes may stand in the file and in domains only")
    else:
        draft.set("routes", tuple(each.route for each in found), where, what, place)
