"""What a process, of any kind, tells of itself: its time, its memory, its files."""

import os
import time
from pathlib import Path
from typing import Final

from angarium.events.metrics import Metrics, counter, gauge

CPU: Final = counter("process_cpu", "Processor time.", unit="seconds", each=True)
SIZE: Final = gauge("process_resident", "Memory in use.", unit="bytes", each=True)
DESCRIPTORS: Final = gauge("process_descriptors", "Files and sockets which are open.", each=True)

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_STATM: Final = Path("/proc/self/statm")
_OPEN: Final = Path("/proc/self/fd")
_COUNT_SECONDS: Final = 10.0  # counting 20,000 descriptors takes some milliseconds


class Own:
    """What a process, of any kind, tells of itself."""

    __slots__ = ("_cpu", "_descriptors", "_next", "_size")

    def __init__(self, metrics: Metrics) -> None:
        self._cpu, self._size = metrics.cell(CPU), metrics.cell(SIZE)
        self._descriptors = metrics.cell(DESCRIPTORS)
        self._next = 0.0

    def look(self, now: float) -> None:
        """Measure; `now` is monotonic."""
        self._cpu.value = time.process_time()
        self._size.value = int(_STATM.read_text(encoding="ascii").split()[1]) * _PAGE
        if now >= self._next:
            self._next = now + _COUNT_SECONDS
            self._descriptors.value = sum(1 for _ in _OPEN.iterdir())
