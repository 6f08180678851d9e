"""`policy`: who is asked at which hook, how often, and what it costs."""

from collections.abc import Mapping

import msgspec

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.questions.policy import Handled, handlers
from angarium.console.result import Result, Said
from angarium.console.session import Session


@command("policy", who=Rank.VIEWER)
async def policy(session: Session) -> Result:
    """Print the handlers of policy by hook: calls, failures, mean and longest time of one.

    Time is our own: what a handler waits for is left out. All workers are added up, since the
    policy in force was loaded.
    """
    answers = await session.node.ask(handlers())
    rows: Mapping[str, Handled] = answers.total.rows if answers.total else {}
    found = [row for _, row in sorted(rows.items())]
    plain = {"handlers": [msgspec.to_builtins(row) for row in found]}
    if not found:
        return Said("\n".join(["no policy handles a hook", *answers.missing]), plain)
    lines = [f"{'calls':>10} {'errors':>8} {'mean us':>9} {'most us':>9}  handler"]
    lines += [_line(row) for row in found]
    return Said("\n".join([*lines, *answers.missing]), plain)


def _line(row: Handled) -> str:
    mean = 1e6 * row.seconds / row.calls if row.calls else 0.0
    return (
        f"{row.calls:10} {row.errors:8} {mean:9.1f} {1e6 * row.slowest:9.1f}  {row.hook} {row.name}"
    )
