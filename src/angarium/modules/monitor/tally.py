"""How much mail came for each domain and binding, and what became of it: counts of events.

It runs in the hose, which reads all events anyway, so nothing is counted where mail is worked on.
Every few seconds the counts go to a small file which others read. Their number is bounded: when
there are too many pairs the ones with the least mail are forgotten.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from angarium.events.schema import (
    Delivery,
    Event,
    PermanentFailure,
    Reception,
    TransientFailure,
)

FILE: Final = "tally"  # in the folder of what runs
MOST: Final = 2000  # pairs of binding and domain
WRITE_SECONDS: Final = 2.0
RECEIVED, FAILED, DELIVERED, DEFERRED = range(4)  # columns

Key = tuple[str, str, str]  # group, binding, domain; the domain "" is all of the binding
Counts = Mapping[Key, Sequence[int]]
_KINDS: Final = {
    Reception: RECEIVED,
    PermanentFailure: FAILED,
    Delivery: DELIVERED,
    TransientFailure: DEFERRED,
}
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[tuple[Key, list[int]]]).decode


class Tally:
    """A logger without a log: counts, and writes the counts where `read` finds them.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._written = float("-inf")
        self._loaded = False
        self._changed = True
        self.logs: list[Any] = []
        self.counts: dict[Key, list[int]] = {}

    @property
    def heartbeat(self) -> float:
        return 0.0

    def beat(self, now: float) -> None:
        """It has no heartbeats."""

    def take(self, events: Sequence[Event]) -> None:
        """Count these; called at each look for events, also when there are none."""
        if not self._loaded:
            # What the one before us has counted, up to its last seconds.
            self._loaded, self.counts = True, read(self._path)
        counts = self.counts
        for event in events:
            column = _KINDS.get(type(event))
            if column is None:
                continue
            self._changed = True
            for domain in (event.domain, ""):  # type: ignore[union-attr]
                key = (event.group, event.binding, domain)  # type: ignore[union-attr]
                found = counts.get(key)
                if found is None:
                    found = counts[key] = [0, 0, 0, 0]
                found[column] += 1
        if len(counts) > MOST:
            self._forget()
        now = self._clock()
        if self._changed and now - self._written >= WRITE_SECONDS:
            self._written, self._changed = now, False
            self._write()

    def _forget(self) -> None:
        """Keep the half with the most mail, and all sums of bindings."""
        domains = sorted(
            (key for key in self.counts if key[2]), key=lambda key: -sum(self.counts[key])
        )
        for key in domains[MOST // 2 :]:
            del self.counts[key]

    def _write(self) -> None:
        coming = self._path.with_suffix(".new")
        with suppress(OSError):  # Of a full disk others tell.
            coming.write_bytes(_encode(list(self.counts.items())))
            os.replace(coming, self._path)


def read(path: Path) -> dict[Key, list[int]]:
    """Return what a tally has written last; nothing where there is none."""
    try:
        return dict(_decode(path.read_bytes()))
    except (OSError, msgspec.DecodeError):
        return {}
