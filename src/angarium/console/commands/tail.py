"""`tail`: events as they happen."""

from typing import Annotated, Final

from angarium.console.access import Rank
from angarium.console.command import Words, command
from angarium.console.errors import CommandError
from angarium.console.questions.history import KINDS_SHOWN, Wanted, tail
from angarium.console.result import Result, Said
from angarium.console.session import Session

SECONDS: Final = 600.0
LONGEST: Final = 86400.0
_FILTERS: Final = ("domain", "binding", "address", "text")


@command("tail", who=Rank.VIEWER)
async def show_tail(session: Session, words: Annotated[Words, "[filter ...]"]) -> Result:
    """Print what happens to mail, as it happens, until it is stopped or for ten minutes.

    Filters: kinds (`received`, `delivered`, `deferred`, `failed`, `refused` ...), and `domain D`,
    `binding B`, `address A` (of sender or recipient), `text T` (anywhere in the line), `for N`
    seconds.
    """
    wanted, seconds = filters(words)
    answers = await session.node.ask(tail(wanted, seconds), tell=session.say)
    return Said("\n".join(answers.missing), {"missing": answers.missing})


def filters(words: Words) -> tuple[Wanted, float]:
    """Return what is wanted, and for how long. Raises CommandError."""
    kinds, said, seconds = list[str](), dict[str, str](), SECONDS
    left = list(words)
    while left:
        word = left.pop(0).lower()
        if word in KINDS_SHOWN:
            kinds.append(word)
        elif word not in (*_FILTERS, "for"):
            known = ", ".join([*sorted(KINDS_SHOWN), *_FILTERS, "for"])
            raise CommandError(f"{word}: a filter begins with one of {known}")
        elif not left:
            raise CommandError(f"{word} what? A value is missing")
        elif word == "for":
            seconds = _seconds(left.pop(0))
        else:
            said[word] = left.pop(0).lower()
    return Wanted(kinds, **said), seconds


def _seconds(text: str) -> float:
    if not text.isdecimal() or not 0 < int(text[:9]) <= LONGEST:
        raise CommandError(f"{text} is no number of seconds from 1 to {LONGEST:.0f}")
    return float(text)
