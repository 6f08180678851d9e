"""`counter`: generic counters of the node, by name. They begin anew with the server."""

import time
from typing import Literal

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
from angarium.console.one import whole
from angarium.console.questions import shared
from angarium.console.result import Result, Said
from angarium.console.session import Session

_HELP = """counter add NAME DELTA      add to a counter, which is made where there is none
counter increment NAME      add one
counter list                list all
counter reset NAME          set to zero
counter unlink NAME         forget"""


@command("counter help", who=Rank.VIEWER)
def help_counters(session: Session) -> Result:
    """Say what the commands about counters do."""
    return Said(_HELP, {"help": _HELP})


@command("counter add", who=Rank.OPERATOR)
async def add(session: Session, name: str, delta: str) -> Result:
    """Add a whole number to a counter; it may be negative. One that is not there is made."""
    return await _changed(session, name, "add", _number(delta))


@command("counter increment", who=Rank.OPERATOR)
async def increment(session: Session, name: str) -> Result:
    """Add one to a counter; one that is not there is made."""
    return await _changed(session, name, "add", 1)


@command("counter list", who=Rank.VIEWER)
async def list_counters(session: Session) -> Result:
    """List all counters, and when each was made or set to zero."""
    counters = await whole(session, shared.counters())
    lines = ["VALUE       RESET_TIME       SEMANTICS COUNTER", ""]
    for each in counters:
        at = time.strftime("%Y-%m-%d@%H:%M:%S", time.localtime(each.since))
        lines.append(f"{each.value:<6} {at}  {each.semantics:<9}  {each.name}")
    lines += ["", f"{len(counters)} counters listed."]
    plain = [
        {
            "counter": each.name,
            "value": each.value,
            "semantics": each.semantics,
            "since": each.since,
        }
        for each in counters
    ]
    return Said("\n".join(lines), plain)


@command("counter reset", who=Rank.OPERATOR)
async def reset(session: Session, name: str) -> Result:
    """Set a counter to zero."""
    return await _changed(session, name, "reset", 0)


@command("counter unlink", who=Rank.OPERATOR)
async def unlink(session: Session, name: str) -> Result:
    """Forget a counter."""
    await whole(session, shared.count(name, "unlink", 0))
    return Said("", {"counter": name, "unlinked": True})


async def _changed(session: Session, name: str, act: Literal["add", "reset"], delta: int) -> Result:
    value = await whole(session, shared.count(name, act, delta))
    return Said("", {"counter": name, "value": value})


def _number(text: str) -> int:
    digits = text.removeprefix("-").removeprefix("+")
    if not digits.isdecimal() or len(digits) > 15:
        raise CommandError(f"{text} is no whole number")
    return int(text)
