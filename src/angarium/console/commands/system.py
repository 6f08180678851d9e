"""The server itself: which program it is, its processes, their memory."""

import os
from collections.abc import Iterable
from functools import reduce
from operator import add
from typing import Final

import msgspec

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
from angarium.console.questions.process import Resident, memory, resident
from angarium.console.result import Result, Said
from angarium.console.session import Session

SUPERVISOR: Final = "supervisor"
_COLUMNS: Final = ("Process", "Resident", "Peak", "Shared", "Virtual")
_MIB: Final = 1 << 20


@command("pid", who=Rank.VIEWER)
def pid(session: Session) -> Result:
    """Print the process number of the server: that of the supervisor, which takes signals."""
    return Said(str(session.node.pid), {"pid": session.node.pid})


@command("version", who=Rank.VIEWER)
def version(session: Session) -> Result:
    """Print which program this is, and its version."""
    release = session.node.release
    return Said(f"Angarium version: {release}", {"product": "Angarium", "version": release})


@command("memory", who=Rank.VIEWER)
async def show_memory(session: Session, kind: str = "") -> Result:
    """Print how much memory each process has, in octets; with a word only processes named so."""
    answers = await session.node.ask(memory())
    each = {name: _sum(table.rows.values()) for name, table in answers.each.items()}
    each[SUPERVISOR] = resident()
    shown = {name: row for name, row in sorted(each.items()) if name.startswith(kind)}
    if not shown:
        raise CommandError(f"no process is called {kind}; there are {', '.join(sorted(each))}")
    total = _sum(shown.values())
    system = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    lines = ["{:14} {:>14} {:>14} {:>14} {:>16}".format(*_COLUMNS)]
    for name, row in [*shown.items(), ("Total", total)]:
        numbers = (row.resident, row.peak, row.shared, row.virtual)
        lines.append("{:14} {:14} {:14} {:14} {:16}".format(name, *numbers))
    percent = 100 * total.resident / system
    lines.append(f"RSS: {total.resident // _MIB} MiB ({percent:.1f}%)")
    lines.append(f"System: {system // _MIB} MiB")
    plain = {
        "processes": {name: msgspec.structs.asdict(row) for name, row in shown.items()},
        "total": msgspec.structs.asdict(total),
        "system": system,
        "missing": answers.missing,
    }
    return Said("\n".join([*lines, *answers.missing]), plain)


def _sum(rows: Iterable[Resident]) -> Resident:
    return reduce(add, rows)
