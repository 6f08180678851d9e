"""Lines without mail, in a row until they are freed: there may be a million one-message domains.

A line is looked at once, when it has been in the row for IDLE_SECONDS; nothing is swept.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from angarium.queue.line import PAUSED, Key, Line

IDLE_SECONDS: Final = 30.0  # a line without mail is freed after one to two of these
_PIECE: Final = 256  # lines looked at in one piece of work


class Idle:
    """The row. Times are monotonic seconds.

    Args:
        lines: all there are; what is freed is taken out of them.
        freed: told of each.
    """

    __slots__ = ("_freed", "_lines", "_row")

    def __init__(self, lines: dict[Key, Line], freed: Callable[[Key, Line], None]) -> None:
        self._lines = lines
        self._freed = freed
        self._row: deque[tuple[float, Line]] = deque()

    def add(self, line: Line, now: float) -> None:
        """Put a line in, if it is idle and not in the row."""
        if line.idle and not line.resting:
            line.resting = True
            self._row.append((now, line))

    def free(self, now: float) -> bool:
        """Free a piece of the lines idle for long; say whether there may be more."""
        row, lines = self._row, self._lines
        for _ in range(min(len(row), _PIECE)):
            if row[0][0] > now - IDLE_SECONDS:
                return False
            _, line = row.popleft()
            line.resting = False
            if line.idle and (line.pool is not None or line.closed & PAUSED or line.parked):
                self.add(line, now)
            elif line.idle and lines.get(line.key) is line:
                del lines[line.key]
                self._freed(line.key, line)
        return bool(row)
