"""Who is told when: each receiver by itself, one message at a time, not too often, until it works.

A receiver that fails is tried again, later and later, with what is wrong by then. So none holds up
another, and of an outage of hours it reads one message.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial

from angarium.core.clock import Clock
from angarium.modules.monitor.incidents import Incidents
from angarium.modules.monitor.notices import Notice, trial
from angarium.modules.monitor.receivers import NotToldError, Receiver

FIRST_AGAIN, LAST_AGAIN = 10.0, 900.0  # seconds until a receiver that failed is tried again


@dataclass(frozen=True, slots=True)
class Way:
    """A receiver, with what it wants to be told.

    Attributes:
        interval: least seconds between two messages.
    """

    receiver: Receiver
    kinds: Sequence[str]
    interval: float

    def wants(self, kind: str) -> bool:
        return any(fnmatchcase(kind, pattern) for pattern in self.kinds)


class Dispatch:
    """Tells the receivers of one generation.

    Args:
        ways: by name.
        complain: called when a receiver fails, and when it works again.
    """

    def __init__(
        self,
        incidents: Incidents,
        ways: Mapping[str, Way],
        host: str,
        clock: Clock,
        complain: Callable[[str], None],
    ) -> None:
        self._incidents = incidents
        self._host = host
        self._clock = clock
        self._complain = complain
        self._next: dict[str, float] = {}  # monotonic
        self._failures: dict[str, int] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self.ways = ways

    def use(self, ways: Mapping[str, Way], host: str) -> None:
        """Go over to those of another generation; who was told just now still is not told again."""
        self.ways, self._host = ways, host
        for known in (self._next, self._failures):
            for name in known.keys() - ways.keys():
                known.pop(name, None)

    def tick(self) -> None:
        """Begin to tell who is to be told; to be called once a second."""
        now = self._clock.time()
        self._incidents.tick(now, self.ways)
        for name, way in self.ways.items():
            if name in self._under_way or self._clock.monotonic() < self._next.get(name, 0.0):
                continue
            found = self._incidents.due(name, way.wants, now)
            if found:
                notice = Notice(self._host, now, tuple(found))
                task = asyncio.ensure_future(self._tell(name, way, notice))
                self._under_way[name] = task
                task.add_done_callback(partial(self._done, name))

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        self._under_way.pop(name, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A bug of ours is no reason to try again each second.
            self._next[name] = self._clock.monotonic() + LAST_AGAIN
            self._complain(f"alerting {name} failed: {type(error).__name__}: {error}")

    async def _tell(self, name: str, way: Way, notice: Notice) -> None:
        states = notice.states  # before it goes on its way: they may change meanwhile
        try:
            await way.receiver.tell(notice)
        except NotToldError as error:
            failures = self._failures[name] = self._failures.get(name, 0) + 1
            wait = min(LAST_AGAIN, FIRST_AGAIN * 2 ** min(failures - 1, 10))
            self._next[name] = self._clock.monotonic() + wait
            if failures == 1:
                self._complain(f"alerting {name} cannot be told, and is tried again: {error}")
            return
        self._incidents.told(name, states)
        self._next[name] = self._clock.monotonic() + way.interval
        if self._failures.pop(name, 0):
            self._complain(f"alerting {name} is told again")

    async def test(self) -> dict[str, str]:
        """Tell every receiver a test, at once; return why it failed, "" if it did not, of each."""
        notice = trial(self._host, self._clock.time())
        names = list(self.ways)
        told = await asyncio.gather(
            *(self.ways[name].receiver.tell(notice) for name in names), return_exceptions=True
        )
        results = {}
        for name, result in zip(names, told, strict=True):
            if isinstance(result, BaseException) and not isinstance(result, NotToldError):
                raise result
            results[name] = str(result) if result is not None else ""
        return results

    async def last(self, seconds: float) -> None:
        """Wait for what is under way, for so long at most."""
        if self._under_way:
            await asyncio.wait(list(self._under_way.values()), timeout=seconds)
