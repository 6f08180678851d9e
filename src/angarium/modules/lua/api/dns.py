"""msys.dnsLookup: names to records, by the resolver of the worker or by a server the script names.

A temporary failure is said as one: "SERVFAIL" or "TIMEOUT" is not "NXDOMAIN", and a policy which
refuses mail should tell them apart. A name which exists without such records is an empty table.
"""

import asyncio
import ipaddress
import random
from collections import OrderedDict
from typing import Final, cast

from angarium.core.clock import Clock
from angarium.modules.lua.bind import LuaError, Runtime, Several, Table, lua
from angarium.net.answer import Answer, Mx, Status
from angarium.net.dns import Stub
from angarium.net.dnscache import Resolver
from angarium.net.dnssocket import Sockets
from angarium.net.resolvconf import server as place_of
from angarium.wire import dns as wire
from angarium.wire.dns import Soa, Value

KINDS: Final = {
    "A": wire.A,
    "AAAA": wire.AAAA,
    "CNAME": wire.CNAME,
    "MX": wire.MX,
    "NS": wire.NS,
    "PTR": wire.PTR,
    "SOA": wire.SOA,
    "TXT": wire.TXT,
}
MOST_SERVERS: Final = 16  # named by scripts, each with sockets and a cache of its own


class OtherServers:
    """Resolvers which ask one server each, for scripts which name one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self._known: OrderedDict[str, tuple[Resolver, Stub]] = OrderedDict()

    def resolver(self, server: str) -> Resolver:
        """Return the resolver for a server. Raises LuaError if it is no address."""
        known = self._known.get(server)
        if known is not None:
            self._known.move_to_end(server)
            return known[0]
        place = place_of(server)
        if place is None:
            raise LuaError(f"'{server}' is no address of a name server")
        if len(self._known) >= MOST_SERVERS:
            self._known.popitem(last=False)[1][1].close()
        stub = Stub((place,), Sockets(self._loop), self._loop, self._clock, random.SystemRandom())
        made = Resolver(stub, self._loop, self._clock)
        self._known[server] = made, stub
        return made

    def stop(self) -> None:
        """Close what is open."""
        while self._known:
            self._known.popitem()[1][1].close()


def _resolver(lua: Runtime, server: str) -> Resolver:
    services = lua.services
    if not server:
        return cast(Resolver, services.part(Resolver, "DNS"))
    others = services.parts.get(OtherServers)
    if others is None:
        others = OtherServers(asyncio.get_running_loop(), services.clock)
        services.parts[OtherServers] = others
    return cast(OtherServers, others).resolver(server)


@lua("msys.dnsLookup", since="3.0")
async def dns_lookup(
    lua: Runtime, name: str, recordtype: str = "A", options: Table | None = None
) -> Several:
    """Look a name up in DNS; return a table of records, or nil and the reason.

    `recordtype`: A, AAAA, CNAME, MX, NS, PTR, SOA or TXT. Options: `server`, the name server to ask
    instead; `priority`: each record of MX is a table of preference and name. The best one of MX is
    the first. An IP address may be looked up as PTR.
    """
    kind = KINDS.get(recordtype.upper())
    if kind is None:
        raise LuaError(f"DNS has no records of type '{recordtype}' which can be asked for")
    server = options.text("server", b"") if options else b""
    resolver = _resolver(lua, (server or b"").decode("utf-8", "replace"))
    if kind == wire.PTR:
        name = _reversed(name)
    answer: Answer[Value] = await resolver.lookup(name, kind)
    if answer.status not in (Status.NOERROR, Status.NODATA):
        return Several(None, answer.status.name)
    return Several(records(answer, priority=options is not None and options.flag("priority")))


def _reversed(name: str) -> str:
    """Return the name under which names of an address stand; any other name is left."""
    try:
        return ipaddress.ip_address(name).reverse_pointer
    except ValueError:
        return name


def records(answer: Answer[Value], *, priority: bool = False) -> list[object]:
    """Return the records of an answer as scripts get them."""
    return [_record(each, priority=priority) for each in answer.records]


def _record(value: Value | Mx, *, priority: bool) -> object:
    if isinstance(value, Mx):
        return [value.preference, value.host] if priority else value.host
    if isinstance(value, Soa):
        return " ".join(map(str, value))
    return list(value) if isinstance(value, tuple) else value
