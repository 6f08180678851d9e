"""Asks one worker what each of them knows, or lets one do what all will know of."""

from typing import TypeVar

from angarium.console.errors import CommandError
from angarium.console.node import Member
from angarium.console.question import Asking, Of
from angarium.console.session import Session

R = TypeVar("R")


def first(session: Session) -> Member:
    """Return the first worker which is ready.

    One which leaves is asked where there is no other: it may be gone before it has answered, and
    what it is told to change might be told to nobody any more.

    Raises:
        CommandError: none is.
    """
    ready = [each for each in session.node.members if each.of is Of.WORKER and each.ready]
    if not ready:
        raise CommandError("no worker is ready; try again")
    return next((each for each in ready if not each.leaving), ready[0])


async def whole(session: Session, asking: Asking[R]) -> R:
    """Return what the first worker says which is ready.

    Raises:
        CommandError: none is, or it refuses.
    """
    answers = await session.node.ask(asking, only=[first(session).name])
    for answer in answers.each.values():
        return answer
    raise CommandError("; ".join(answers.failed.values()) or "; ".join(answers.missing))
