"""What is suspended: changed by one worker for all, in the file which all go by."""

import asyncio
from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Final

from angarium.console.question import QuestionError, question
from angarium.core.errors import Error
from angarium.queue.suspended import Place, change, read

if TYPE_CHECKING:
    from angarium.console.parts import Parts

ROUNDS: Final = 100  # of 10 ms, in which all lines are told


@question("suspended change")
async def changed(worker: "Parts", add: list[Place], remove: list[Place]) -> list[Place]:
    """Add places and remove others; return those which were not there, or are not any more."""
    before: list[Place] = []

    def edit(places: list[Place]) -> list[Place]:
        before[:] = places
        gone = {each.words for each in remove}
        kept = [each for each in places if each.words not in gone]
        known = {each.words for each in kept}
        return kept + [each for each in add if each.words not in known]

    try:
        after = await asyncio.to_thread(partial(change, worker.state, edit))
    except (Error, OSError) as error:
        raise QuestionError(f"nothing has changed: {error}") from error
    return [each for each in before if each not in after] + [
        each for each in after if each not in before
    ]


@question("suspended look")
def look(worker: "Parts") -> Generator[float | None, None, int]:
    """Go by the file now; return when every line does, or when that takes long."""
    worker.suspended.look()
    for _ in range(ROUNDS):
        if not worker.board.beat.busy:
            break
        yield 0.01
    return len(worker.suspended.places)


@question("suspended list")
def listed(worker: "Parts") -> list[Place]:
    """Return what is suspended."""
    try:
        return read(worker.state)
    except (Error, OSError) as error:
        raise QuestionError(str(error)) from error
