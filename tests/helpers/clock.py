"""Time which passes when the test says so."""

import asyncio
import selectors
from typing import Final

START: Final = 1_700_000_000.0  # Unix time at which a FakeClock begins


class FakeClock:
    """A `core.clock.Clock`; both readings advance together, `set` moves the Unix time alone."""

    def __init__(self, start: float = START) -> None:
        self._time = start
        self._monotonic = 1000.0

    def time(self) -> float:
        return self._time

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._time += seconds
        self._monotonic += seconds

    def set(self, time: float) -> None:
        """Set the system clock, as an operator or NTP does; monotonic time goes on."""
        self._time = time


class _Hurry(selectors.SelectSelector):
    """Never waits: where the loop would, its time jumps instead."""

    def __init__(self, loop: "FakeLoop") -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("the test waits for what nothing will bring about")
        if not ready and timeout:
            self._loop.clock.advance(timeout)
        return ready


class FakeLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers cost no time: when nothing is ready, its clock jumps.

    `loop.clock` is a FakeClock and gives `loop.time()`. For what is in memory; peers on real
    sockets would see hours pass.
    """

    def __init__(self) -> None:
        self.clock = FakeClock()
        super().__init__(_Hurry(self))

    def time(self) -> float:
        return self.clock.monotonic()
