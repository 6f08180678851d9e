"""Time and turns of a simulated machine: one virtual clock, an event loop for each process.

Nothing waits: where all processes are idle the clock jumps to the next timer. Everything that the
machine leaves open is drawn from the seed: which of the processes that have something to do gets
the processor, how late a timer comes, in which order those of one time come. Within a process
callbacks keep the order asyncio promises.

A process that is killed runs no further callback, and one that is stalled none for a while.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from contextvars import Context
from random import Random
from typing import Any, Final

START: Final = 1_700_000_000.0  # Unix time at which a simulation begins


class Clock:
    """The clock of the machine. A reading takes time, so that work in slices is interrupted.

    Attributes:
        now: monotonic.
        cost: seconds which pass with each reading.
        ahead: Unix time less monotonic time.
    """

    __slots__ = ("ahead", "cost", "now")

    def __init__(self, cost: float) -> None:
        self.now = 1000.0
        self.cost = cost
        self.ahead = START - self.now

    def monotonic(self) -> float:
        self.now += self.cost
        return self.now

    def time(self) -> float:
        return self.ahead + self.now


class Process(asyncio.AbstractEventLoop):
    """The event loop of one process."""

    def __init__(self, machine: "Machine", name: str) -> None:
        self.machine = machine
        self.name = name
        self.ready: deque[asyncio.Handle] = deque()
        self.dead = False
        self.stalled_until = 0.0
        self._tasks: list[asyncio.Task[Any]] = []

    def kill(self) -> None:
        self.dead = True
        self.ready.clear()

    def bury(self) -> None:
        """Let its tasks go, so that none is missed when it is collected."""
        for task in self._tasks:
            coro = task.get_coro()
            if not task.done() and coro is not None:
                coro.close()

    # What asyncio asks of a loop.

    def time(self) -> float:
        return self.machine.clock.now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if not self.dead:
            self.ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.machine.clock.now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if not self.dead:
            self.machine.add(handle, self)
        return handle

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **kinds: Any) -> "asyncio.Task[Any]":
        self._tasks = [each for each in self._tasks if not each.done()]
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, **kinds)
        self._tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.dead:
            self.machine.faults.append((self.name, context))

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A timer that was cancelled is passed over when its time comes."""


class Machine:
    """The processes and the clock.

    Attributes:
        faults: what was raised in callbacks and tasks, with the name of the process.
        steps: callbacks run so far.
        late: seconds which a timer may come late.
    """

    def __init__(self, random: Random, *, cost: float = 1e-5, late: float = 0.0) -> None:
        self.random = random
        self.clock = Clock(cost)
        self.processes: list[Process] = []
        self.faults: list[tuple[str, dict[str, Any]]] = []
        self.steps = 0
        self.late = late
        self.running: Process | None = None
        self._timers: list[tuple[float, float, int, asyncio.TimerHandle, Process]] = []
        self._count = 0
        self._lag = 0.0

    def process(self, name: str) -> Process:
        process = Process(self, name)  # type: ignore[abstract]
        self.processes.append(process)
        return process

    def remove(self, process: Process) -> None:
        process.kill()
        self.processes.remove(process)

    def add(self, handle: asyncio.TimerHandle, process: Process) -> None:
        # As real loops do it: in whole milliseconds, so that a timer may even come too early.
        at = round(handle.when(), 3) + self.late * self.random.random()
        self._count += 1
        heapq.heappush(self._timers, (at, self.random.random(), self._count, handle, process))

    def step(self, until: float) -> bool:
        """Run one callback; False if none is due before `until`, which it is then."""
        clock = self.clock
        while True:
            self._ripe()
            now = clock.now
            able = [each for each in self.processes if each.ready and each.stalled_until <= now]
            if able:
                break
            at = self._timers[0][0] if self._timers else until
            for each in self.processes:
                if each.ready:
                    at = min(at, each.stalled_until)
            if at >= until:
                clock.now = max(now, until)
                return False
            clock.now = max(now, at)
        process = able[0] if len(able) == 1 else able[self.random.randrange(len(able))]
        self.run(process, process.ready.popleft())
        return True

    def _ripe(self) -> None:
        timers, now = self._timers, self.clock.now
        while timers and timers[0][0] <= now:
            _, _, _, handle, process = heapq.heappop(timers)
            if not (handle.cancelled() or process.dead):
                process.ready.append(handle)

    @property
    def lag(self) -> float:
        """How late a timer has been, or is: where readings of the clock take long, all is late."""
        now = self.clock.now
        waiting = (
            now - each.when()
            for process in self.processes
            for each in process.ready
            if isinstance(each, asyncio.TimerHandle)
        )
        return max(self._lag, max(waiting, default=0.0))

    def run(self, process: Process, handle: asyncio.Handle) -> None:
        """Run a callback as this process."""
        if handle.cancelled():
            return
        self.steps += 1
        if isinstance(handle, asyncio.TimerHandle):
            self._lag = max(self._lag, self.clock.now - handle.when())
        self.running = process
        asyncio._set_running_loop(process)
        try:
            handle._run()
        finally:
            asyncio._set_running_loop(None)
            self.running = None

    def within(self, process: Process, call: Callable[[], Any]) -> Any:
        """Call something as this process, now; what it raises is raised."""
        asyncio._set_running_loop(process)
        self.running = process
        try:
            return call()
        finally:
            asyncio._set_running_loop(None)
            self.running = None
