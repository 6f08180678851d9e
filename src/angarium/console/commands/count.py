"""`count`: connections by address, or by networks of the sizes one likes."""

import ipaddress
import re
from collections import Counter
from typing import Final

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
from angarium.console.questions import peers
from angarium.console.result import Result, Said
from angarium.console.session import Session

_MASKS: Final = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")
_OUT: Final = "outbound"
_SERVICES: Final = frozenset({"smtp", "esmtp", "inbound"})


@command("count", who=Rank.VIEWER)
async def count(session: Session, type: str, cidr: str) -> Result:
    """Count connections by address: `outbound`, `outbound/<binding>`, or a service: `SMTP`.

    With an address or a network (`192.0.2.0/24`): how many there are. With a length (`24`) or two
    (`16-24`): how many in each network of that length, the longer ones below the shorter.
    """
    kind, _, binding = type.partition("/")
    if kind.lower() == _OUT:
        answers = await session.node.ask(peers.outward(binding))
    elif kind.lower() in _SERVICES and not binding:
        answers = await session.node.ask(peers.inward())
    else:
        raise CommandError(f"{type}: write outbound, outbound/BINDING or SMTP")
    found = answers.total.values if answers.total else {}
    addresses = Counter({each: int(n) for each, n in found.items() if _is_address(each)})
    masks = _MASKS.fullmatch(cidr)
    if masks is None:
        number = _within(addresses, cidr)
        return Said("\n".join([f"{number} sessions", *answers.missing]), {"sessions": number})
    first, last = int(masks[1]), int(masks[2] or masks[1])
    rows = list(_rows(addresses, min(first, last), max(first, last)))
    lines = [f"{n:7}{' ' * (17 + max(0, depth - 16))}{network}" for n, network, depth in rows]
    if kind.lower() != _OUT:
        lines.insert(0, f"Displaying '{type}' from /{first} to /{last}")
    plain = [{"network": network, "sessions": n} for n, network, _ in rows]
    return Said("\n".join([*lines, *answers.missing]), plain)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False  # Of a socket of this machine.
    return True


def _within(addresses: "Counter[str]", cidr: str) -> int:
    try:
        network = ipaddress.ip_network(cidr, strict=False)
    except ValueError as error:
        raise CommandError(f"{cidr} is no address, network or length: {error}") from error
    return sum(n for each, n in addresses.items() if ipaddress.ip_address(each) in network)


def _rows(addresses: "Counter[str]", first: int, last: int) -> "list[tuple[int, str, int]]":
    """Return number, network and length, each network before those within it."""
    sums: Counter[tuple[int, int, int]] = Counter()  # version, first address, length
    for each, number in addresses.items():
        address = ipaddress.ip_address(each)
        for length in {min(first, address.max_prefixlen), min(last, address.max_prefixlen)}:
            network = ipaddress.ip_network(f"{each}/{length}", strict=False)
            sums[network.version, int(network.network_address), length] += number
    found = []
    for (version, start, length), number in sorted(sums.items()):
        start_of = ipaddress.IPv4Address(start) if version == 4 else ipaddress.IPv6Address(start)
        found.append((number, f"{start_of}/{length}", length))
    return found
