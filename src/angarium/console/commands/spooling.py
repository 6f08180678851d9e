"""Figures of the spool, and of what Momentum counts there: `sp_async stats`, `unlink stats`.

Here a message is a record of a log, so none is a file which is removed; large bodies are.
"""

from typing import Any, Final

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
from angarium.console.questions.spooling import spooled
from angarium.console.result import Result, Said
from angarium.console.session import Session

_ENDS: Final = ("delivered", "bounced", "expired", "discarded", "transferred")


async def _counts(session: Session) -> tuple[dict[str, int], list[str]]:
    answers = await session.node.ask(spooled())
    if answers.total is None:
        raise CommandError("no worker answers: " + "; ".join(answers.missing))
    return {name: int(each) for name, each in answers.total.values.items()}, answers.missing


@command("sp_async stats", who=Rank.VIEWER)
async def sp_async(session: Session) -> Result:
    """Print what the spool has written, and what waits for the disk."""
    counts, missing = await _counts(session)
    lines = [f"{name.replace('_', ' '):24}: {each}" for name, each in sorted(counts.items())]
    return Said("\n".join([*lines, *missing]), {**counts, "missing": missing})


@command("unlink stats", who=Rank.VIEWER)
async def unlink(session: Session) -> Result:
    """Print how many messages have left the spool, and how many wait for that to be written."""
    counts, missing = await _counts(session)
    gone = sum(counts.get(name, 0) for name in _ENDS)
    waiting = counts.get("waiting", 0)
    lines = [
        "                   Messages",
        f"Submissions    :{gone:12}",
        f"Attempts       :{gone:12}",
        "  Failures     :           0",
        f"  Successes    :{gone:12}",
        f"  Success Rate :{'100.00%' if gone else '0.00%':>12}",
        f"Current Backlog:{waiting:7}",
        "Batch Backlog  :      0",
    ]
    plain: dict[str, Any] = {"messages": gone, "backlog": waiting, "missing": missing}
    return Said("\n".join([*lines, *missing]), plain)
