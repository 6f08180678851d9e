"""Reads the event streams for traces: behind everybody, and nobody waits for it.

Its place is kept, but not where owners of streams look for readers they must wait for: what is gone
before it was read is no loss but of traces. Rule: **a look takes a few milliseconds**, for the
same process answers HTTP.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from angarium.core.errors import Error
from angarium.events.checkpoint import Keeper, boot_id
from angarium.events.reader import Streams
from angarium.events.schema import Event
from angarium.journal.disk import FileDisk

BATCH: Final = 256  # events of a stream at a time
SAVE_SECONDS: Final = 5.0
RESCAN_SECONDS: Final = 1.0
OLD_SECONDS: Final = 600.0  # what is older when we begin is not worth a trace


class Follow:
    """A reader of all streams of a node.

    Args:
        now: Unix time at the start.
    """

    def __init__(self, state: Path, now: float) -> None:
        self._keeper = Keeper(state / "web" / "traces", boot_id())
        self._since = now - OLD_SECONDS
        self._roots = (state / "spool", state / "streams")
        self._streams: Streams | None = None
        self._saved = self._scanned = float("-inf")

    @property
    def behind(self) -> bool:
        """Say whether there is more to read at once."""
        return self._streams is not None and not self._streams.caught_up

    def read(self, now: float) -> Sequence[Event]:
        """Return what is new; `now` is monotonic. Nothing where the disk fails: later, then."""
        try:
            streams = self._streams or self._opened()
            if streams is None:
                return ()
            if now - self._scanned >= RESCAN_SECONDS:
                self._scanned = now
                streams.rescan()
            events = streams.read(BATCH)
            if now - self._saved >= SAVE_SECONDS:
                self._saved = now
                self._keeper.save(streams.cursors(), {}, sync=False)
        except (OSError, Error):
            self._start_over()
            return ()
        return [each for each in events if each.at >= self._since]

    def _opened(self) -> Streams | None:
        if not self._keeper.lock():
            return None  # The one before us has not ended yet.
        found = self._keeper.load()
        cursors = found.cursors(boot_id()) if found else {}
        self._streams = Streams(self._roots, FileDisk(), cursors)
        return self._streams

    def _start_over(self) -> None:
        if self._streams is not None:
            self._streams.close()
            self._streams = None

    def close(self) -> None:
        with contextlib.suppress(OSError, Error):
            if self._streams is not None:
                self._keeper.save(self._streams.cursors(), {}, sync=False)
        self._start_over()
        self._keeper.unlock()
