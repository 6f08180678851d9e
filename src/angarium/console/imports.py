"""Imports of mail from files which operators have begun: each goes on when its console is closed.

Workers do the work (`console/questions/imports`); here stands who does it, what came of it, and
what is done when a worker dies over it: what is unfinished is settled, and it goes on. Rule:
**before anything is brought in it is known what came in before**, and no two work on one directory.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import Final, TypeVar

import msgspec

from angarium.console.errors import CommandError
from angarium.console.node import Node, Tell
from angarium.console.question import GONE, STARTING, Answers, Asking, Of
from angarium.console.questions import history, imports
from angarium.console.questions.imports import Brought
from angarium.queue.importing import LEAVING, Wish
from angarium.queue.spool.claims import Left

R = TypeVar("R")

MOST: Final = 100  # which are over and can still be asked for
TRIES: Final = 20  # where workers end over it, one after the other
AGAIN_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 0.25
BUSY_SECONDS: Final = 60.0  # for a batch of somebody else to be on the disk
# What is found again at a start is in the event streams a second later at most.
TOLD_SECONDS: Final = 2.0
WENT: Final = frozenset({GONE, STARTING, LEAVING})


class Order(msgspec.Struct, frozen=True):
    """What is asked for; `every`: seconds between two looks for more, 0 for only one look."""

    wish: Wish
    workers: int = 1
    every: float = 0.0


class Job:
    """One import.

    Attributes:
        state: working, waiting, done, stopped, failed.
        doing: the last line of each worker.
        total: what came of it; what could not be brought in counts as of the last look.
        error: why it failed.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        self.began = time.time()
        self.state = "working"
        self.doing: dict[str, str] = {}
        self.total = Brought()
        self.error = ""
        self.hears: list[Tell] = []
        self.task: asyncio.Task[None]

    @property
    def path(self) -> str:
        return self.order.wish.path

    @property
    def over(self) -> bool:
        return self.state not in {"working", "waiting"}

    def heard(self, line: str) -> None:
        """A worker says how far it is: `worker 0: ...`."""
        self.doing[line.partition(":")[0]] = line
        for each in self.hears:
            each(line)


class Imports:
    """All of a node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._jobs: dict[str, Job] = {}

    def begin(self, order: Order) -> Job:
        """Begin one. Raises CommandError if another one works on this directory."""
        for each in self._jobs.values():
            if not each.over and _overlap(each.path, order.wish.path):
                raise CommandError(f"{each.path} is being imported; spool import_poll shows it")
        over = [path for path, each in self._jobs.items() if each.over]
        for path in over[: max(0, len(over) - MOST + 1)]:
            del self._jobs[path]
        job = Job(order)
        self._jobs.pop(job.path, None)
        self._jobs[job.path] = job
        job.task = asyncio.ensure_future(self._run(job))
        return job

    def of(self, path: str) -> Job:
        """Return one. Raises CommandError if there is none."""
        if path not in self._jobs:
            raise CommandError(f"nothing was imported from {path} since the server was started")
        return self._jobs[path]

    def jobs(self) -> Sequence[Job]:
        return list(self._jobs.values())

    def kept(self) -> list[Order]:
        """Return those which are to go on in a program that takes our place."""
        return [each.order for each in self._jobs.values() if not each.over]

    async def _run(self, job: Job) -> None:
        try:
            while True:
                await self._look(job)
                if not job.order.every:
                    break
                job.state = "waiting"
                await asyncio.sleep(job.order.every)
                job.state = "working"
            job.state = "done"
        except asyncio.CancelledError:
            job.state = "stopped"
            raise
        except CommandError as error:
            job.state, job.error = "failed", str(error)
        finally:
            job.doing.clear()

    async def _look(self, job: Job) -> None:
        """Bring in what is there now; where a worker ends over it, others go on."""
        polled = job.order.every > 0
        # What was refused still has not come in, and is not looked at again while it stays so.
        known = job.total if polled else Brought()
        for left in reversed(range(TRIES)):
            if not job.order.wish.dry:
                await settle(self._node, job.path)
            answers = await self._ask(job, known.changed)
            found = [each.total for each in answers if each.total is not None]
            job.total = _sum(job.total, known, reduce(add, found, Brought()))
            stuck = [f"{name} does not answer" for each in answers for name in each.stuck]
            why = [reason for each in answers for reason in each.failed.values()]
            if stuck or (why and (not left or not WENT.issuperset(why))):
                raise CommandError("; ".join([*stuck, *why]))
            if answers and not why:
                return
            await asyncio.sleep(AGAIN_SECONDS)
        raise CommandError("no worker is there")

    async def _ask(self, job: Job, refused: Mapping[str, float]) -> Sequence[Answers[Brought]]:
        order = job.order
        workers = [each.name for each in self._node.members if each.of is Of.WORKER and each.ready]
        chosen = workers[: max(1, order.workers)]
        wishes = [
            msgspec.structs.replace(order.wish, share=share, of=len(chosen), refused=dict(refused))
            for share in range(len(chosen))
        ]
        return await asyncio.gather(
            *(
                self._node.ask(imports.bring(wish), tell=job.heard, only=[name])
                for name, wish in zip(chosen, wishes, strict=True)
            )
        )


def _sum(total: Brought, known: Brought, found: Brought) -> Brought:
    """Return what came of all looks, and of what was refused what is so now."""
    return Brought(
        total.files + found.files, total.messages + found.messages,
        total.recipients + found.recipients, known.refused + found.refused,
        known.reasons | found.reasons, known.changed | found.changed, found.left,
    )  # fmt: skip


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


async def settle(node: Node, path: str) -> None:
    """Finish what former imports have begun: nothing which came in is to come in again.

    Raises:
        CommandError: it cannot be known, or somebody works on this directory still.
    """
    left = await _unless_busy(node, path)
    if not left.batches:
        return
    while True:
        answers = await node.ask(imports.recovering())
        if not sum(answers.each.values()):
            break
        await asyncio.sleep(LOOK_SECONDS)
    await asyncio.sleep(TOLD_SECONDS)
    told = await _answer(node, history.received(left.batches), Of.HOSE)
    await _answer(node, imports.settle(left.batches, sorted(told.ids)), Of.WORKER)


async def _unless_busy(node: Node, path: str) -> Left:
    until = time.monotonic() + BUSY_SECONDS
    while (found := await _answer(node, imports.left(path), Of.WORKER)).busy:
        if time.monotonic() > until:
            raise CommandError("another import works on this directory")
        await asyncio.sleep(LOOK_SECONDS)
    return found


async def _answer(node: Node, asking: Asking[R], of: Of) -> R:
    """Return the answer of one process, of another one if that ends over it."""
    why = "there is none"
    for _ in range(TRIES):
        ready = [each.name for each in node.members if each.of is of and each.ready]
        answers = await node.ask(asking, only=ready[:1])
        if ready and answers.total is not None:
            return answers.total
        why = "; ".join(answers.missing) or why
        if answers.stuck or not WENT.issuperset(answers.failed.values()):
            break
        await asyncio.sleep(AGAIN_SECONDS)
    raise CommandError(f"{asking.name}: {why}")
