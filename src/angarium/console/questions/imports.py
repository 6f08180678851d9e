"""Mail from files: brought in by a worker, in steps; and what an earlier one has left undone."""

import asyncio
from collections.abc import Generator
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.question import question
from angarium.queue.importing import Importing, Means, Progress, Wish
from angarium.queue.options import Identity
from angarium.queue.spool import claims, sources
from angarium.queue.spool.claims import Left
from angarium.queue.spool.options import Spooling

if TYPE_CHECKING:
    from angarium.console.parts import Parts

TELL_SECONDS: Final = 1.0  # between two lines which say how far it is
NAMED: Final = 10_000  # files which could not be brought in; what is more is counted only


class Brought(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        files: looked at; `messages`, `recipients`: brought in.
        refused: files which could not be: how many; `reasons`: of each of the first.
        changed: when those were changed.
        left: files which the spool did not take.
    """

    files: int = 0
    messages: int = 0
    recipients: int = 0
    refused: int = 0
    reasons: dict[str, str] = {}
    changed: dict[str, float] = {}
    left: int = 0

    def __add__(self, other: "Brought") -> "Brought":
        return Brought(
            self.files + other.files, self.messages + other.messages,
            self.recipients + other.recipients, self.refused + other.refused,
            self.reasons | other.reasons, self.changed | other.changed, self.left + other.left,
        )  # fmt: skip


@question("import")
def bring(worker: "Parts", wish: Wish) -> Generator[str | float | None, None, Brought]:
    """Bring in a share of the files of a directory."""
    importing = Importing(
        Means(
            worker.admit, worker.spool, worker.clock, worker.state,
            worker.configuration.top(Spooling).large_message_threshold,
            worker.configuration.top(Identity).external_hostname or worker.pool.dialer.hostname,
            worker.services.program, lambda: worker.leaving,
        ),
        wish,
    )  # fmt: skip
    steps, monotonic = importing.run(), worker.clock.monotonic
    tell_at = monotonic() + TELL_SECONDS
    try:
        for step in steps:
            yield step
            if monotonic() >= tell_at:
                tell_at = monotonic() + TELL_SECONDS
                yield f"worker {worker.number}: {said(importing.progress)}"
    finally:
        steps.close()
    return _brought(importing.progress)


def said(progress: Progress) -> str:
    """Return how far it is, in words."""
    refused = f", {len(progress.refused)} refused" if progress.refused else ""
    return (
        f"{progress.files} of {max(progress.total, progress.files)} files, "
        f"{progress.messages} messages{refused}"
    )


def _brought(progress: Progress) -> Brought:
    reasons = dict(list(progress.refused.items())[:NAMED])
    return Brought(
        progress.files, progress.messages, progress.recipients, len(progress.refused), reasons,
        {path: sources.changed(path) for path in reasons}, progress.left,
    )  # fmt: skip


@question("import left")
async def left(worker: "Parts", path: str) -> Left:
    """Return what imports have begun and not finished, in any directory or in this one."""
    return await asyncio.to_thread(claims.left, worker.state, path)


@question("import settle")
async def settle(worker: "Parts", asked: list[int], came_in: list[int]) -> int:
    """Finish what was begun: remove the files of messages which came in; return how many."""
    return await asyncio.to_thread(claims.settle, worker.state, set(asked), set(came_in))


@question("recovering")
def recovering(worker: "Parts") -> int:
    """Return how many shards of this worker are not read to their end yet."""
    return worker.spool.recovering
