"""`fingerprint`: which systems clients run, and what came of their mail."""

from typing import Final

import msgspec

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.questions import fingerprint
from angarium.console.result import Result, Said
from angarium.console.session import Session

_NONE: Final = "no module fingerprint is configured"


@command("fingerprint cache summary", who=Rank.VIEWER)
async def cache_summary(session: Session) -> Result:
    """Print how many clients are remembered, and how many may be; all workers together."""
    answers = await session.node.ask(fingerprint.cache())
    values = answers.total.values if answers.total else {}
    plain = {name: int(value) for name, value in values.items()}
    line = f"{plain['clients']} of {plain['most']} clients" if plain else _NONE
    return Said("\n".join([line, *answers.missing]), plain)


@command("fingerprint rejection summary", who=Rank.VIEWER)
async def rejection_summary(session: Session) -> Result:
    """Print the messages taken from and the refusals given to clients, by what they run."""
    answers = await session.node.ask(fingerprint.kinds())
    found = answers.total.rows.values() if answers.total else ()
    rows = sorted(found, key=lambda row: (-row.rejections, row.genre, row.detail))
    lines = [f"{'GENRE':12} {'DETAIL':32} {'RECEPTIONS':>10} {'REJECTIONS':>10}"]
    lines += [
        f"{row.genre:12} {row.detail:32} {row.receptions:>10} {row.rejections:>10}" for row in rows
    ]
    plain = [msgspec.to_builtins(row) for row in rows]
    said = lines if rows else ["nothing was counted"]
    return Said("\n".join([*said, *answers.missing]), plain)
