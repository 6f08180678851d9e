"""Commands which are to be given later, and again and again: what `sched` shows and changes.

    jobs (id, next, every, command)     SQLite 3, where they outlive the server; `every` 0: once

The rule which keeps it simple: a job is taken out, or set to its next time, on the disk first and
run then. A command which ends the server is so not met again by the next one, and none is run
twice.
"""

import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Final

from angarium.console.errors import CommandError
from angarium.core.clock import Clock

MOST: Final = 1000  # jobs
FAR: Final = 10**10  # seconds since 1970: no time stamp of a job is beyond
_BUSY_SECONDS: Final = 5.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY, next INTEGER NOT NULL, every INTEGER NOT NULL, command TEXT NOT NULL
)
"""

Aside = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Job:
    """A command, the Unix time it is given next, and seconds between two times; 0: once."""

    number: int
    next: int
    every: int
    command: str


class Store:
    """The jobs in a file. Raises OSError and sqlite3.Error."""

    def __init__(self, path: str) -> None:
        self.path = path

    def _open(self) -> sqlite3.Connection:
        # Commands may have what is nobody's business, so the file is ours alone.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        database = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        database.execute("PRAGMA synchronous = FULL")
        database.execute(_SCHEMA)
        return database

    def load(self) -> list[Job]:
        with closing(self._open()) as database:
            rows = database.execute("SELECT id, next, every, command FROM jobs ORDER BY id")
            return [Job(*row) for row in rows]

    def put(self, job: Job) -> None:
        row = job.number, job.next, job.every, job.command
        with closing(self._open()) as database:
            database.execute("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?)", row)

    def delete(self, number: int) -> None:
        with closing(self._open()) as database:
            database.execute("DELETE FROM jobs WHERE id = ?", (number,))


class Schedule:
    """The jobs of a node.

    Attributes:
        configured: there is the module; without it nothing can be added.
        running: they are run at their times.
        changed: called when there may be an earlier next time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[int, Job] = {}
        self._store: Store | None = None
        self._last = 0
        self.configured = False
        self.running = False
        self.changed: Callable[[], None] = lambda: None

    @property
    def jobs(self) -> list[Job]:
        return sorted(self._jobs.values(), key=lambda job: job.number)

    @property
    def path(self) -> str | None:
        return self._store.path if self._store is not None else None

    async def use(self, path: str | None, aside: Aside) -> None:
        """Keep jobs in a file from now on; what that has already are the jobs then.

        Raises:
            CommandError: it cannot be read; all stays as it was.
        """
        if path == self.path:
            return
        if path is None:
            self._store = None
            return
        store = Store(path)
        found: list[Job] = await self._kept(aside, store.load)
        self._store = store
        self._jobs = {job.number: job for job in found}
        self._last = max([self._last, *self._jobs])
        self.changed()

    async def add(self, at: int, every: int, command: str, aside: Aside) -> Job:
        """Add a job. Raises CommandError."""
        if not self.configured:
            raise CommandError("there is no module sched: put sched { } into the configuration")
        if len(self._jobs) >= MOST:
            raise CommandError(f"there are {MOST} jobs, which is as many as there may be")
        self._last += 1
        job = Job(self._last, at, every, command)
        if self._store is not None:
            await self._kept(aside, self._store.put, job)
        self._jobs[job.number] = job
        self.changed()
        return job

    async def delete(self, number: int, aside: Aside) -> None:
        """Take a job out. Raises CommandError."""
        if number not in self._jobs:
            raise CommandError(f"there is no job {number}; sched list has those there are")
        if self._store is not None:
            await self._kept(aside, self._store.delete, number)
        self._jobs.pop(number, None)

    @property
    def next(self) -> int | None:
        """Return when the next job is due, as Unix time."""
        return min((job.next for job in self._jobs.values()), default=None)

    async def due(self, aside: Aside) -> list[Job]:
        """Return the jobs which are to be run now, and count them as run.

        Raises:
            CommandError: that cannot be written of the first one; none is run now.
        """
        now = int(self._clock.time())
        found: list[Job] = []
        for job in [each for each in self.jobs if each.next <= now]:
            try:
                there = await self._count(job, now, aside)
            except CommandError:
                if found:
                    break  # Those are counted as run, so run they must be; the rest is met again.
                raise
            if there:
                found.append(job)
        return found

    async def _count(self, job: Job, now: int, aside: Aside) -> bool:
        """Count a job as run; say whether it is still there."""
        if not job.every:
            if self._store is not None:
                await self._kept(aside, self._store.delete, job.number)
            return self._jobs.pop(job.number, None) is not None
        # Times that went by while nobody was there are not made up for.
        passed = (now - job.next) // job.every + 1
        later = replace(job, next=job.next + passed * job.every)
        if self._store is not None:
            await self._kept(aside, self._store.put, later)
        if job.number not in self._jobs:
            # It was deleted meanwhile, and has just been written again.
            if self._store is not None:
                await self._kept(aside, self._store.delete, job.number)
            return False
        self._jobs[job.number] = later
        return True

    async def _kept(self, aside: Aside, work: Callable[..., Any], *arguments: object) -> Any:
        try:
            return await aside(work, *arguments)
        except (OSError, sqlite3.Error) as error:
            raise CommandError(f"the jobs cannot be kept: {error}") from error
