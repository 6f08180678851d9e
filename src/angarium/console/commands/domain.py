"""One domain: what is configured for it, its hosts, its mail, its connections."""

from collections.abc import Iterator
from typing import Any

import msgspec

from angarium.config.path import find, parse
from angarium.config.show import Show
from angarium.console.access import Rank
from angarium.console.chosen import total_of
from angarium.console.command import command
from angarium.console.commands.connection import MOST, family
from angarium.console.commands.mta_sts import sts_lines
from angarium.console.commands.queue import plain_size, sizes, summed
from angarium.console.questions import domains, queues, tlspolicy
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.queue.choice import Choice


@command("domain", who=Rank.VIEWER)
async def domain(session: Session, domain: str) -> Result:
    """Print what is configured for a domain, its mail servers, its mail and its connections.

    The mail servers are those a worker has asked for: ` *` is one which is left alone for a while,
    as it failed. Behind an address stands how long it takes to greet us, and to take a message:
    averages of connections which have ended, the newest counts most. Why its mail waits, says
    explain domain.
    """
    name = domain.lower()
    choice = Choice(domain=name)
    configured = _configured(session, name)
    known_by = await session.node.ask(domains.hosts(name))
    known = total_of(known_by)
    rows, missing = await sizes(session, choice)
    size = summed(rows.items())
    connected = total_of(await session.node.ask(queues.outbound(choice, MOST)))
    policy = total_of(await session.node.ask(tlspolicy.known(name)))
    lines = [*configured, *_hosts(name, known), *sts_lines(name, policy)]
    lines += [
        f"Domain has had {known.failures} consecutive connection failures",
        "Queue:",
        f"        Active:    {size.active:7}",
        f"        Delayed:   {size.delayed:7}",
        f"Deliveries:   {size.sent:7}",
        f"Failures:     {size.failed:7}",
        f"Active Connections: {connected.total}",
    ]
    lines += [
        f"[{number:2}] FD: {each.descriptor:6}  IP: {each.address:>15}  State: {each.state}"
        f" ({each.seconds * 1000:.2f}ms)"
        for number, each in enumerate(connected.items, 1)
    ]
    plain: dict[str, Any] = {
        "domain": name,
        "hosts": [msgspec.structs.asdict(each) for each in known.hosts],
        "known": known.known,
        "ttl": int(known.ttl),
        "failures": known.failures,
        "secure": known.secure,
        "mta_sts": msgspec.to_builtins(policy),
        **plain_size(size),
        "connected": [msgspec.structs.asdict(each) for each in connected.items],
        "missing": missing,
    }
    return Said("\n".join([*lines, *missing]), plain)


def _configured(session: Session, name: str) -> list[str]:
    conf = session.server.live.configuration
    place = parse(("domain", name), conf.root)
    section = find(conf.root, place.steps)
    if section is None or not section.values:
        return []
    inner = Show(conf).text(section, recurse=True).splitlines()
    return [f"Domain {name} {{", *(f"  {each}" for each in inner), "}"]


def _flag(secure: bool) -> str:
    return " +dnssec" if secure else ""


def _hosts(name: str, known: domains.Domain) -> Iterator[str]:
    if not known.known:
        yield f"Domain '{name}' is not in the cache: no worker has asked for its mail servers"
        return
    count, ttl, flag = len(known.hosts), int(known.ttl), _flag(known.secure)
    yield f"Domain '{name}' has {count} MXs and a TTL of {ttl} seconds{flag}"
    for each in known.hosts:
        yield f"  [{each.preference} {each.name} TTL:{int(each.ttl)}]{_flag(each.secure)}"
        if each.tlsa is not None:
            ttl, flag = int(each.tlsa.ttl), _flag(each.tlsa.secure)
            yield f"TLSA '{each.tlsa.name}' has a TTL of {ttl} seconds{flag}"
            yield from (f"  {record}" for record in each.tlsa.records)
        for one in each.addresses:
            mark, left = "  ", ""
            if one.rest:
                mark, left = " *", f" {one.failed:.2f}s since failure, again in {one.rest:.2f}s"
            took = f"({one.connect * 1000:.2f}ms con {one.delivery * 1000:.2f}ms dlv)"
            yield f"{mark}      [{one.address}] {family(one.address)} {took}{left}"
        for other, preference in each.others:
            yield f"                (also used by {other} pref {preference})"
