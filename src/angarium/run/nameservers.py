"""What each name server says of a name: for what must be seen by all of them.

    async for server, records in told(domain, name, zone, servers): ...

A resolver would give one answer, and may have it from its cache; a key which one of four name
servers does not know yet fails a quarter of the mail.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from angarium.core.errors import Error
from angarium.mail.auth.asking import Ask, NameTrouble, NoSuchName, addresses, texts
from angarium.run.names import names

MAX_SERVERS: Final = 32


async def told(
    domain: str, name: str, zone: Path | None, servers: Sequence[str]
) -> AsyncIterator[tuple[str, tuple[bytes, ...] | None]]:
    """Yield what each server says: its TXT records; None where it does not answer.

    Args:
        domain: whose name servers are asked where no others are named.
        zone: a file which is asked instead.
        servers: those which are asked instead.

    Raises:
        Error: there is nobody to ask.
    """
    if zone is not None:
        async with names(zone) as ask:
            yield str(zone), await _texts(ask, name)
        return
    if not servers:
        async with names(None) as ask:
            servers = await authorities(ask, domain)
        if not servers:
            raise Error(f"nobody knows the name servers of {domain}: say --dns")
    for server in servers[:MAX_SERVERS]:
        async with names(None, (server,)) as ask:
            yield server, await _texts(ask, name)


async def authorities(ask: Ask, domain: str) -> list[str]:
    """Return the addresses of the name servers of a domain, or of the zone it is in."""
    zone = domain
    hosts: tuple[str, ...] = ()
    while zone and not hosts:
        hosts = await _found(ask, zone, "NS")
        zone = zone.partition(".")[2]
    found = [
        address
        for host in hosts
        for kind in ("A", "AAAA")
        for address in await _found(ask, host, kind)
    ]
    return list(dict.fromkeys(found))


async def _found(ask: Ask, name: str, kind: str) -> tuple[str, ...]:
    try:
        return await addresses(ask, name, kind)
    except (NoSuchName, NameTrouble):
        return ()


async def _texts(ask: Ask, name: str) -> tuple[bytes, ...] | None:
    try:
        return await texts(ask, name)
    except NoSuchName:
        return ()
    except NameTrouble:
        return None
