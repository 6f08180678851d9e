"""DNSBL: who is on several lists is turned away, who is on one is slowed down."""

import asyncio
import ipaddress

from angarium.policy.script import Refuse, Server, Session, on

LISTS = ("zen.dnsbl.example", "bad.dnsbl.example", "new.dnsbl.example")


@on.connect
async def listed(session: Session, server: Server) -> None:
    name = ipaddress.ip_address(session.address).reverse_pointer
    name = name.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")

    async def asks(zone: str) -> bool:
        try:
            return bool(await server.lookup(f"{name}.{zone}"))
        except LookupError:
            return False  # A list which does not answer lists nobody.

    found = sum(await asyncio.gather(*map(asks, LISTS)))
    session.variables["dnsbl"] = str(found)
    if found > 1:
        raise Refuse(554, "5.7.1 your address is on several lists", hang_up=True)
    if found:
        session.tarpit(10)
