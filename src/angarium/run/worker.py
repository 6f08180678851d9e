"""One worker process: an event loop with its listeners, shards and queues.

    python -m angarium.run.worker LINK FDS        started by the supervisor, by nobody else

What is put together how stands in `run/assemble`; here stands when.
"""

import asyncio
from pathlib import Path

from angarium.config.resolve import Configuration
from angarium.net import loop as loops
from angarium.policy.runaway import Watch
from angarium.run import letters, link, process, watchdog
from angarium.run.assemble import assemble
from angarium.run.parts import Parts
from angarium.run.process import Process


class Worker(Process):
    """Takes mail in, keeps it, delivers it."""

    what = "worker"

    def __init__(self) -> None:
        super().__init__()
        self._parts: Parts

    async def start(
        self, start: link.Start, configuration: Configuration, descriptors: dict[str, int]
    ) -> None:
        watchdog.attend(Path(start.state) / "run", start.number, f"worker {start.number}")
        Watch(asyncio.get_running_loop()).start()  # as long as the process lives
        self._parts = assemble(start, configuration, descriptors, self)
        loops.settle_memory()  # 15 ms, while nobody waits for us yet
        await self._parts.open(start.shards[0], start.poison)
        self.ready()
        await self.adopt(start.shards[1:], start.poison)

    def prepare(self, configuration: Configuration, descriptors: dict[str, int]) -> None:
        self._parts.prepare(configuration, descriptors)

    def commit(self, *, reload: bool) -> None:
        self._parts.commit(reload=reload)

    def abort(self) -> None:
        self._parts.abort()

    async def adopt(self, shards: list[str], poison: list[int]) -> None:
        await self._parts.holdings.adopt(shards, poison)
        loops.settle_memory()

    def post(self, mail: link.Post) -> None:
        letters.take_in(mail, self._parts.admit, self._parts.clock, self.send)

    @property
    def parts(self) -> object:
        return self._parts

    def reopen(self) -> None:
        self._parts.alarm.panics.reopen()
        self._parts.logins.close()

    async def drain(self, seconds: float) -> None:
        await self._parts.drain(seconds)
        await self._parts.close()
        self.send(self._parts.last_words())

    def hurry(self) -> None:
        self._parts.hurry()


if __name__ == "__main__":
    loops.install()
    process.main(Worker())
