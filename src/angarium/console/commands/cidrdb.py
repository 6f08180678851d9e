"""`cidrdb`: the sets of addresses which scripts have defined."""

from typing import Final

import msgspec

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError, UnknownError
from angarium.console.questions.scripts import script_command
from angarium.console.result import Result, Said
from angarium.console.scripted import scripted
from angarium.console.session import Session

_NONE: Final = "no script has defined a set of addresses"
# Name, seconds between two loads, and until the next one; None: nobody has asked yet.
_Row = tuple[str, float, int | None]
_ROWS: Final = msgspec.json.Decoder(list[_Row])


@command("cidrdb list", who=Rank.VIEWER)
async def listed(session: Session) -> Result:
    """List the sets of addresses which scripts have defined, and when each is loaded again.

    Each worker loads them by itself: told is the one that is to do it first.
    """
    answers = await session.node.ask(script_command(["cidrdb", "rows"]))
    known = [each for each in answers.each.values() if each.known]
    if not known:
        raise CommandError("; ".join(answers.missing)) if answers.failed else UnknownError(_NONE)
    rows: dict[str, _Row] = {}
    for each in known:
        for row in _ROWS.decode(each.text):
            rows[row[0]] = min(rows.get(row[0], row), row, key=_when)
    found = [row for _, row in sorted(rows.items())]
    plain = [{"cidr_name": name, "refresh": refresh, "next": left} for name, refresh, left in found]
    return Said("\n".join([*map(_line, found), *answers.missing]), plain)


def _when(row: _Row) -> float:
    return float("inf") if row[2] is None else row[2]


def _line(row: _Row) -> str:
    name, refresh, left = row
    if left is None:
        return f"{name} [not asked]"
    return f"{name} [refresh in {left} seconds]" if refresh else f"{name} [no refresh]"


@command("cidrdb reload", who=Rank.OPERATOR)
async def reload(session: Session, name: str) -> Result:
    """Load a set of addresses again, in each worker; if that fails what was known stays."""
    return await scripted(session.node, f'cidrdb reload "{name}"', UnknownError(_NONE))
