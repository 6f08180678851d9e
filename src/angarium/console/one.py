"""Asks one worker what each of them knows, or lets one do what all will know of."""

from typing import TypeVar

from angarium.console.errors import CommandError
from angarium.console.question import Asking, Of
from angarium.console.session import Session

R = TypeVar("R")


async def whole(session: Session, asking: Asking[R]) -> R:
    """Return what the first worker says which is ready.

    Raises:
        CommandError: none is, or it refuses.
    """
    ready = [each for each in session.node.members if each.of is Of.WORKER and each.ready]
    if not ready:
        raise CommandError("no worker is ready; try again")
    answers = await session.node.ask(asking, only=[ready[0].name])
    for answer in answers.each.values():
        return answer
    raise CommandError("; ".join(answers.failed.values()) or "; ".join(answers.missing))
