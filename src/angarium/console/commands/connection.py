"""Who is connected: `show inbound`, `show outbound`."""

from typing import Any, Final

import msgspec

from angarium.console.access import Rank
from angarium.console.chosen import total_of
from angarium.console.command import command
from angarium.console.questions import queues
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.queue.choice import Choice

MOST: Final = 5000  # connections listed


@command("show inbound", who=Rank.VIEWER)
async def inbound(session: Session) -> Result:
    """List connections of clients: descriptor, client, what it is at, since when nothing came."""
    answers = await session.node.ask(queues.inbound(MOST))
    page = total_of(answers)
    lines = [
        f"{each.descriptor}: [inbound/esmtp] {family(each.endpoint)} {each.endpoint} {each.state}"
        f" (for {each.seconds:.3f}s)"
        for each in page.items
    ]
    return _listed(lines, page, answers.missing)


@command("show outbound", who=Rank.VIEWER)
async def outbound(session: Session) -> Result:
    """List connections to hosts: descriptor, host, address, for which mail, what it is at."""
    answers = await session.node.ask(queues.outbound(Choice(), MOST))
    page = total_of(answers)
    lines = [
        f"{each.descriptor}: [outbound/smtp] {each.host} {family(each.address)} {each.address}"
        f" {each.binding}/{each.domain} {each.state} (for {each.seconds:.3f}s)"
        for each in page.items
    ]
    return _listed(lines, page, answers.missing)


def family(address: str) -> str:
    """Return the family of an address or an endpoint, as Momentum writes it."""
    return "IPv6" if address.count(":") > 1 else "IPv4"


def _listed(lines: list[str], page: Any, missing: list[str]) -> Said:
    if page.more:
        lines.append(f"and {page.more} more")
    plain = {
        "connections": [msgspec.structs.asdict(each) for each in page.items],
        "total": page.total,
        "missing": missing,
    }
    return Said("\n".join([*lines, *missing]), plain)
