"""How a process tells its operator what is wrong: in every paniclog, and through the supervisor.

A fault which comes again and again is told once a minute, with how often it came.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from angarium.core.clock import Clock
from angarium.events.panic import PanicLog
from angarium.run.flags import GENERIC, Flags

AGAIN_SECONDS: Final = 60.0
_KEPT: Final = 256  # texts; faults are few, unless one names a message or a peer
# Which part of debug_flags who tells of a fault belongs to, where it is not the generic one.
PARTS: Final[Mapping[str, str]] = {"spool": "DB"}


class Panics:
    """The paniclogs of all ec_loggers, of one process.

    Args:
        flags: what goes there; None: everything.
    """

    __slots__ = ("_flags", "_logs")

    def __init__(self, logs: Sequence[PanicLog] = (), flags: Flags | None = None) -> None:
        self._logs = logs
        self._flags = flags

    def write(self, source: str, text: str) -> None:
        """Write a line to each; `source` is the module or the part which speaks."""
        for log in self._logs:
            log.write(source, text)

    def wants(self, level: str, part: str, text: str) -> bool:
        """Say whether a line of this level, part and text is to be written."""
        return self._flags is None or self._flags.wants(level, part, text)

    def use(self, other: "Panics") -> None:
        """Go over to those of another generation."""
        self.close()
        self._logs, self._flags = other._logs, other._flags

    def reopen(self) -> None:
        for log in self._logs:
            log.reopen()

    def close(self) -> None:
        for log in self._logs:
            log.close()


class Alarm:
    """Call it with a text of one line.

    Args:
        tell: brings a text to the supervisor, for the service log.
    """

    __slots__ = ("_clock", "_tell", "_told", "panics")

    def __init__(self, tell: Callable[[str], None], clock: Clock, panics: Panics) -> None:
        self._tell = tell
        self._clock = clock
        self._told: dict[str, tuple[float, int]] = {}  # when last, and how often since
        self.panics = panics

    def __call__(self, text: str, source: str = "core", about: str = "") -> None:
        """Tell it.

        Args:
            source: the module or the part which speaks.
            about: what the text is about, where it differs each time: told once a minute.
        """
        now, about = self._clock.monotonic(), about or text
        at, unheard = self._told.get(about, (-AGAIN_SECONDS, 0))
        if now - at < AGAIN_SECONDS:
            self._told[about] = at, unheard + 1
            return
        if len(self._told) >= _KEPT:
            self._told.clear()
        self._told[about] = now, 0
        said = f"{text} ({unheard} times more since)" if unheard else text
        if self.panics.wants("critical", PARTS.get(source, GENERIC), about):
            self.panics.write(source, said)
        self._tell(said)


class Faults:
    """Hears each line of the service log, and brings what debug_flags name to the paniclogs too.

    What another process told is in them already: each writes its own.
    """

    __slots__ = ("_panics", "_part", "_process")

    def __init__(self, process: str, panics: Panics, part: str = GENERIC) -> None:
        self._process = process
        self._panics = panics
        self._part = part

    def __call__(self, level: str, line: Mapping[str, Any]) -> None:
        if line.get("process") != self._process:
            return
        if self._panics.wants(level, line.get("part", self._part), line["event"]):
            known = {name: each for name, each in line.items() if name not in _NO_FIELDS}
            text = " ".join([str(line["event"]), *(f"{n}={each}" for n, each in known.items())])
            self._panics.write("core", text)


_NO_FIELDS: Final = frozenset({"event", "process", "part", "level", "exception"})
