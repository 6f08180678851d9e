"""`counter`: generic counters of the node, by name. A restart forgets them."""

import time

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
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
def add(session: Session, name: str, delta: str) -> Result:
    """Add a whole number to a counter; it may be negative. One that is not there is made."""
    digits = delta.removeprefix("-").removeprefix("+")
    if not digits.isdecimal() or len(digits) > 18:
        raise CommandError(f"{delta} is no whole number")
    return _added(session, name, int(delta))


@command("counter increment", who=Rank.OPERATOR)
def increment(session: Session, name: str) -> Result:
    """Add one to a counter; one that is not there is made."""
    return _added(session, name, 1)


def _added(session: Session, name: str, delta: int) -> Result:
    kept = session.node.statistics
    kept.add(name, delta, time.time())
    return Said("", {"counter": name, "value": kept.counters[name].value})


@command("counter list", who=Rank.VIEWER)
def list_counters(session: Session) -> Result:
    """List all counters, and when each was made or set to zero."""
    counters = sorted(session.node.statistics.counters.items())
    lines = ["VALUE       RESET_TIME       SEMANTICS COUNTER", ""]
    for name, each in counters:
        at = time.strftime("%Y-%m-%d@%H:%M:%S", time.localtime(each.since))
        lines.append(f"{each.value:<6} {at}  exact      {name}")
    lines += ["", f"{len(counters)} counters listed."]
    plain = [{"counter": name, "value": each.value, "since": each.since} for name, each in counters]
    return Said("\n".join(lines), plain)


@command("counter reset", who=Rank.OPERATOR)
def reset(session: Session, name: str) -> Result:
    """Set a counter to zero."""
    found = session.node.statistics.counter(name)
    found.value, found.since = 0, time.time()
    return Said("", {"counter": name, "value": 0})


@command("counter unlink", who=Rank.OPERATOR)
def unlink(session: Session, name: str) -> Result:
    """Forget a counter."""
    kept = session.node.statistics
    kept.counter(name)
    del kept.counters[name]
    return Said("", {"counter": name, "unlinked": True})
