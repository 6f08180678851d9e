"""`ages`: how old the mail is which waits, by domain or binding. Old mail shows what is stuck."""

from typing import Final

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
from angarium.console.questions.ages import MINUTES, ages
from angarium.console.result import Result, Said
from angarium.console.session import Session

SHOWN: Final = 20
_BY: Final = ("domain", "binding")


@command("ages", who=Rank.VIEWER)
async def show_ages(session: Session, by: str = "domain", limit: int = SHOWN) -> Result:
    """Print how many recipients wait for how long, in minutes, by `domain` or `binding`.

    The rows with the most mail come first; the first row is all mail.
    """
    if by.lower() not in _BY:
        raise CommandError(f"{by}: write ages domain or ages binding")
    answers = await session.node.ask(ages(by.lower() == "binding"), tell=session.note)
    rows = dict(answers.total.rows) if answers.total else {}
    whole = rows.pop("", None)
    if whole is None:
        raise CommandError("no worker answers: " + "; ".join(answers.missing))
    most = sorted(rows.items(), key=lambda item: (-item[1].total, item[0]))[:limit]
    heads = ["T", *map(str, MINUTES), f"{MINUTES[-1]}+"]
    width = max([len(name) for name, _ in most] + [10])
    lines = [" " * width + "".join(f"{each:>7}" for each in heads)]
    for name, each in [("TOTAL", whole), *most]:
        cells = (each.total, *each.counts)
        lines.append(f"{name:>{width}}" + "".join(f"{cell:7}" for cell in cells))
    plain = {
        "minutes": list(MINUTES),
        "total": whole.counts,
        by.lower(): {name: each.counts for name, each in most},
        "missing": answers.missing,
    }
    return Said("\n".join([*lines, *answers.missing]), plain)
