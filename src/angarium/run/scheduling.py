"""Gives the commands of `sched` when they are due, as an operator without a console.

The rule: a job that fails costs its own time and a line in paniclog, and nobody else anything; the
commands of one moment run beside one another, each for a bounded time.
"""

import asyncio
from typing import Any, Final

from angarium.config.resolve import Configuration
from angarium.console.access import Peer, Rank
from angarium.console.errors import CommandError
from angarium.console.node import Node
from angarium.console.schedule import Job, Schedule
from angarium.console.server import Server
from angarium.console.session import Session
from angarium.core.clock import Clock
from angarium.modules.monitor.options.alerts import CommandSchedule

NOBODY: Final = Peer("sched", Rank.OPERATOR, "sched")
LONGEST: Final = 600.0  # seconds a command may take
# The clock may be set, and then a job is due earlier than it seemed.
LOOK: Final = 60.0


class Scheduling:
    """What runs the jobs of a node."""

    def __init__(self, server: Server, node: Node, clock: Clock, log: Any) -> None:
        self._server = server
        self._node = node
        self._clock = clock
        self._log = log
        self._wake = asyncio.Event()
        self._configuration: Configuration | None = None
        self._task: asyncio.Task[None] | None = None
        self._jobs: set[asyncio.Task[None]] = set()

    def use(self, configuration: Configuration) -> None:
        """A configuration comes into force: where jobs are kept, and whether they are run."""
        schedule = self._node.schedule
        found = configuration.instances("sched")
        schedule.configured = bool(found)
        if not found and self._task is None:
            return
        self._configuration = configuration
        schedule.changed = self._wake.set
        self._wake.set()
        if self._task is None:
            self._task = asyncio.ensure_future(self._run(schedule))

    def close(self) -> None:
        for task in (self._task, *self._jobs):
            if task is not None:
                task.cancel()

    async def _run(self, schedule: Schedule) -> None:
        while True:
            self._wake.clear()
            wait = await self.turn(schedule)
            try:
                await asyncio.wait_for(self._wake.wait(), wait)
            except TimeoutError:
                continue

    async def turn(self, schedule: Schedule) -> float:
        """Run what is due; return the seconds until that is to be done again."""
        assert self._configuration is not None
        options = [each for _, each in self._configuration.instances("sched")]
        schedule.running = any(
            isinstance(each, CommandSchedule) and each.enabled for each in options
        )
        try:
            for each in options:
                assert isinstance(each, CommandSchedule)
                await schedule.use(each.backing_store, self._server.aside)
            due = await schedule.due(self._server.aside) if schedule.running else []
        except CommandError as error:
            self._log.error("scheduled commands wait", reason=str(error))
            return LOOK
        for job in due:
            task = asyncio.ensure_future(self._do(job))
            self._jobs.add(task)
            task.add_done_callback(self._jobs.discard)
        if not schedule.running or schedule.next is None:
            return LOOK
        return min(LOOK, max(0.0, schedule.next - self._clock.time()))

    async def _do(self, job: Job) -> None:
        session = Session(self._server, NOBODY, self._node)
        try:
            async with asyncio.timeout(LONGEST):
                outcome = await session.ask(job.command)
        except TimeoutError:
            reason = f"not done after {LONGEST:.0f} seconds"
        else:
            reason = str(outcome.result) if outcome.failed else ""
        if reason:
            self._log.error("scheduled command failed", command=job.command, reason=reason)
