"""A load on a server while a test does things to it, and who was taken on.

    async with pressure(world.port, connections=4) as load:
        ...                                             kill workers, reload, upgrade
    assert load.acknowledged <= delivered or queued ...

Each recipient is another one, so that what was acknowledged is compared with what arrived by
recipient. At the end nothing more becomes due, and what is in flight is waited for.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from angarium.lab.injector import Outcome
from angarium.lab.letters import Letters, domains, sizes
from angarium.lab.load import Load, Plan, Report
from angarium.net.loop import RealClock


class Pressure:
    """What a load has brought so far.

    Attributes:
        acknowledged: recipients of whom the server has said 250.
    """

    def __init__(self, plan: Plan, letters: Letters) -> None:
        self.acknowledged: list[str] = []
        self._load = Load(plan, letters, RealClock(), self._taken)
        self._running = asyncio.ensure_future(self._load.run())

    def _taken(self, outcome: Outcome) -> None:
        self.acknowledged += outcome.recipients

    @property
    def report(self) -> Report:
        return self._load.report

    async def finished(self) -> None:
        """Wait until all messages of `count` have been answered, or given up."""
        await self._running

    async def end(self) -> None:
        self._load.stop()
        await self._running


@asynccontextmanager
async def pressure(
    port: int,
    *,
    to: str = "sink.test",
    size: str = "1k",
    prefix: str = "u",
    recipients: int = 1,
    patience: float = 90.0,
    **plan: Any,
) -> AsyncIterator[Pressure]:
    """Send until the block ends, as fast as it is answered unless the plan says otherwise."""
    letters = Letters(sizes(size), domains(to), recipients=recipients, prefix=prefix)
    load = Pressure(Plan(port=port, patience=patience, **plan), letters)
    await asyncio.sleep(0)  # it begins
    try:
        yield load
    finally:
        await load.end()
