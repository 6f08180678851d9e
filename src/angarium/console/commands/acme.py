"""Certificates by ACME: how long they last, what came of the last order, ask for one now."""

import time
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
from angarium.console.question import Asking
from angarium.console.questions.acme import MONITOR, Certificate, certificates, renew
from angarium.console.result import Result, Said
from angarium.console.session import Session

R = TypeVar("R")


async def _asked(session: Session, asking: Asking[R]) -> R:
    """Return what the monitor says. Raises CommandError."""
    if not session.server.live.configuration.has("acme"):
        raise CommandError("the configuration has no acme stanza")
    answers = await session.node.ask(asking, only=MONITOR)
    if answers.total is None:
        raise CommandError("; ".join(answers.missing) or "the monitor does not run")
    return answers.total


@command("acme status", who=Rank.VIEWER)
async def status(session: Session) -> Result:
    """Print the certificates which come by ACME: until when they last, when they are renewed."""
    found = await _asked(session, certificates())
    lines = [line for each in found for line in _lines(each)]
    return Said("\n".join(lines), {"certificates": [msgspec.to_builtins(each) for each in found]})


def _lines(known: Certificate) -> Iterator[str]:
    yield f"{known.path}{f' ({known.name})' if known.name else ''}"
    yield f"    names: {' '.join(known.names)}"
    yield f"    authority: {known.directory}"
    if known.ends:
        yield f"    issued by: {known.issuer}"
        yield f"    ends: {_day(known.ends)}, in {known.days:.1f} days"
    else:
        yield "    there is no certificate yet"
    if known.ordering:
        yield "    a new one is being asked for"
    else:
        yield f"    the next one is asked for: {_day(known.next)}"
    if known.failures:
        orders = "order has" if known.failures == 1 else "orders have"
        yield f"    {known.failures} {orders} failed: {known.reason}"


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


@command("acme renew", who=Rank.OPERATOR)
async def renew_now(session: Session, name: str = "") -> Result:
    """Ask for new certificates now, by the name of the stanza or of the file; of all without one.

    It is done when the authority has answered. Authorities limit how often they are asked.
    """
    outcomes = await _asked(session, renew(name))
    if not outcomes:
        raise CommandError(f"no acme stanza or certificate is called {name}")
    lines = [
        f"{each.path}: {each.reason}" if each.reason else f"{each.path}: until {each.until}"
        for each in outcomes
    ]
    failed = [each for each in outcomes if each.reason]
    if failed:
        raise CommandError("\n".join(lines))
    return Said("\n".join(lines), {"outcomes": [msgspec.to_builtins(each) for each in outcomes]})
