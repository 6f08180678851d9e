"""What waits for which binding, and what became of its mail."""

import time
from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import Any, Final

import msgspec

from angarium.console.access import Rank
from angarium.console.chosen import known_binding, total_of
from angarium.console.command import command
from angarium.console.commands.queue import over
from angarium.console.errors import CommandError
from angarium.console.questions import queues
from angarium.console.questions.queues import Sum
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.console.statistics import BETWEEN
from angarium.queue.choice import Choice, word

GROUP: Final = "group:"
_STARS: Final = "*" * 60


@command("binding active", who=Rank.VIEWER)
async def active(session: Session, binding: str, threshold: int) -> Result:
    """List domains with more active mail than this on a binding; columns as in active."""
    choice = Choice(binding=known_binding(session, binding))
    return await over(session, choice, lambda size: size.active > threshold)


@command("binding delayed", who=Rank.VIEWER)
async def delayed(session: Session, binding: str, threshold: int) -> Result:
    """List domains with more delayed mail than this on a binding; columns as in active."""
    choice = Choice(binding=known_binding(session, binding))
    return await over(session, choice, lambda size: size.delayed > threshold)


@command("binding summary", who=Rank.VIEWER)
async def summary(session: Session, binding: str = "") -> Result:
    """Print figures of each binding, of one, or of those of a group: `group:NAME`.

    Queues are as they are now. What was received (messages), delivered and failed (recipients)
    counts since the server was started; of a worker which has died it is gone.
    """
    group = binding[len(GROUP) :] if binding.lower().startswith(GROUP) else ""
    answers = await session.node.ask(queues.bindings())
    rows: dict[str, Sum] = dict(total_of(answers).rows)
    for key, (received, sent, failed) in session.node.statistics.gone.bindings.items():
        if key in rows:
            rows[key] += Sum(sent=sent, failed=failed, received=received)
    wanted = word(group or binding)
    found = sorted(
        (tuple(key.split(BETWEEN)), row)
        for key, row in rows.items()
        if wanted(key.split(BETWEEN)[0 if group else 1])
    )
    if not found:
        raise CommandError(f"there is no binding {binding}" if binding else "there is no binding")
    uptime = max(1.0, time.time() - session.node.started)
    lines: list[str] = []
    for (in_group, name), row in found:
        where = f" in Binding Group {in_group}" if group else ""
        lines += [f"Summary Statistics For Binding {name}{where}", *_block(row, uptime)]
    if group:
        total = reduce(add, (row for _, row in found))
        lines += [_STARS, f"Summary Statistics For Binding Group {group}"]
        lines += _block(total, uptime, resident="Incore Messages")
    plain = {
        "bindings": [
            {"group": in_group, "binding": name, **_plain(row, uptime)}
            for (in_group, name), row in found
        ],
        "uptime": int(uptime),
        "missing": answers.missing,
    }
    return Said("\n".join([*lines, *answers.missing]), plain)


def _block(row: Sum, uptime: float, resident: str = "Resident Messages") -> Iterator[str]:
    yield f"        Open Connections: {row.connections:7}"
    yield f"        Active Queue Size: {row.active:6}"
    yield f"        Total Queue Size: {row.active + row.delayed:6}"
    yield f"        Successfully Delivered Messages: {row.sent:6}"
    yield f"        Failed Messages: {row.failed:6}"
    yield f"        Received Messages: {row.received:6}"
    yield f"        {resident}: {row.resident:6}"
    yield f"        Delivery Rate: {row.sent / uptime:6.2f} messages/second"
    yield f"        Reception Rate: {row.received / uptime:6.2f} messages/second"
    yield f"        Uptime: {int(uptime):6} seconds"


def _plain(row: Sum, uptime: float) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(row),
        "total": row.active + row.delayed,
        "rate": round(row.sent / uptime, 2),
        "reception_rate": round(row.received / uptime, 2),
    }
