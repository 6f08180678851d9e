"""Which lines about the server go to the paniclogs: by level and part, and how often.

`debug_flags` names for each level the parts of the server which are heard. A line says its part
by the field `part` of the service log; the others are of the part which is called ERROR.
`debug_throttle_*` bounds how often the same is written, below warnings: those are never held back.
"""

from collections.abc import Mapping
from typing import Final

from angarium.core.clock import Clock
from angarium.run.options import DebugFlags, DebugThrottle

GENERIC: Final = "ERROR"  # the part of what belongs to no other
EVERY: Final = "ALL"
_KEPT: Final = 256  # texts; there are a few dozen


class Flags:
    """What is heard, of one generation of the configuration."""

    __slots__ = ("_clock", "_counts", "_most", "_parts", "_period", "_until")

    def __init__(self, flags: DebugFlags, throttle: DebugThrottle, clock: Clock) -> None:
        self._clock = clock
        self._parts: Mapping[str, frozenset[str]] = {
            "info": frozenset(flags.info),
            "warning": frozenset(flags.warning),
            "error": frozenset(flags.error),
            "critical": frozenset(flags.critical),
        }
        self._most = throttle.debug_throttle_max_num_same_message
        self._period = throttle.debug_throttle_period_secs
        self._until = 0.0
        self._counts: dict[str, int] = {}

    def wants(self, level: str, part: str, text: str) -> bool:
        """Say whether a line is written.

        Args:
            text: what is the same each time: the line without its fields.
        """
        parts = self._parts.get(level, frozenset())
        if part not in parts and EVERY not in parts:
            return False
        return level != "info" or not self._most or self._is_rare(text)

    def _is_rare(self, text: str) -> bool:
        now = self._clock.monotonic()
        if now >= self._until:
            self._until = now + self._period
            self._counts.clear()
        if len(self._counts) >= _KEPT:
            self._counts.clear()
        count = self._counts[text] = self._counts.get(text, 0) + 1
        return count <= self._most


def defaults(clock: Clock) -> Flags:
    """Return what is heard without a word in the configuration."""
    return Flags(DebugFlags.make(), DebugThrottle.make(), clock)
