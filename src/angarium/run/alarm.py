"""How a process tells its operator what is wrong: in every paniclog, and through the supervisor.

A fault which comes again and again is told once a minute, with how often it came.
"""

from collections.abc import Callable, Sequence
from typing import Final

from angarium.core.clock import Clock
from angarium.events.panic import PanicLog

AGAIN_SECONDS: Final = 60.0
_KEPT: Final = 256  # texts; faults are few, unless one names a message or a peer


class Alarm:
    """Call it with a text of one line.

    Args:
        tell: brings a text to the supervisor, for the service log.
        panics: the paniclogs of all ec_loggers.
    """

    __slots__ = ("_clock", "_panics", "_tell", "_told")

    def __init__(
        self, tell: Callable[[str], None], clock: Clock, panics: Sequence[PanicLog]
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._panics = panics
        self._told: dict[str, tuple[float, int]] = {}  # when last, and how often since

    def __call__(self, text: str, source: str = "core") -> None:
        """Tell it; `source` is the module or the part which speaks."""
        now = self._clock.monotonic()
        at, unheard = self._told.get(text, (-AGAIN_SECONDS, 0))
        if now - at < AGAIN_SECONDS:
            self._told[text] = at, unheard + 1
            return
        if len(self._told) >= _KEPT:
            self._told.clear()
        self._told[text] = now, 0
        said = f"{text} ({unheard} times more since)" if unheard else text
        for panic in self._panics:
            panic.write(source, said)
        self._tell(said)

    def use(self, panics: Sequence[PanicLog]) -> None:
        """Go over to the paniclogs of another generation."""
        self.close()
        self._panics = panics

    def reopen(self) -> None:
        for panic in self._panics:
            panic.reopen()

    def close(self) -> None:
        for panic in self._panics:
            panic.close()
