"""Writes series to files and reads them: one worker does it for the node.

What a file has is taken once: it names the workers whose counts are in it, and is left where one of
them still lives, for then all of it has been told.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from angarium.core.errors import Error
from angarium.policy.shared.node import Shared
from angarium.policy.shared.series import Series
from angarium.policy.shared.series_file import Saved, path_of, read, write


class Keeping:
    """Keeps what is to be kept.

    Args:
        logs: where windows are written to when they are over (`serialize`).
        kept: where series lie while the server does not run (`persist`).
        interval: seconds between two looks.
        tell: told what went wrong.
    """

    def __init__(
        self,
        shared: Shared,
        logs: Path,
        kept: Path,
        interval: float,
        tell: Callable[[str], None],
    ) -> None:
        self._shared = shared
        self._logs = logs
        self._kept = kept
        self._interval = interval
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None
        self._working: asyncio.Future[None] | None = None
        self._read: set[tuple[str, int, int]] = set()

    def start(self) -> None:
        """Read what there is, when it is known what others know; then look again and again."""
        self._shared.when_known(self._load_all)
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._look)

    def stop(self) -> None:
        """Write all, and end."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._shared.first:
            self._write(self._due(last=True))

    def _look(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._look)
        self._load_all()  # of those which were defined meanwhile
        busy = self._working is not None and not self._working.done()
        if busy or not self._shared.first:
            return
        due = self._due()
        if due:
            self._working = asyncio.ensure_future(asyncio.to_thread(self._write, due))

    def _load_all(self) -> None:
        for series in self._shared.all_series():
            known = (series.name, series.interval, series.windows)
            if series.persist and known not in self._read:
                self._read.add(known)
                self._load(series)

    def _load(self, series: Series) -> None:
        try:
            saved = read(path_of(self._kept, series.name))
        except FileNotFoundError:
            return
        except (OSError, Error) as error:
            self._tell(f"series {series.name} is not read: {error}")
            return
        there = series.origins() | set(self._shared.alive())
        same = (saved.kind, saved.interval) == (series.kind, series.interval)
        if same and there.isdisjoint(saved.by):
            series.restore(saved.origin, saved.kept)

    def _due(self, *, last: bool = False) -> list[tuple[Path, Saved]]:
        """Return what is to be written, and where to."""
        now = self._shared.clock.time()
        by = tuple(self._shared.alive())
        due = []
        for each in self._shared.all_series():
            if not each.persist and not each.serialize:
                continue
            kept = each.snapshot()
            head = (each.name, each.kind, each.interval, each.windows, int(now * 1000))
            if each.persist:
                due.append((path_of(self._kept, each.name), Saved(*head, by, kept)))
            for start in kept if each.serialize else ():
                path = path_of(self._logs, each.name, f".{start}")
                over = last or start + each.interval <= now
                if over and kept[start] and not path.exists():
                    due.append((path, Saved(*head, by, {start: kept[start]})))
        return due

    def _write(self, due: list[tuple[Path, Saved]]) -> None:
        for path, saved in due:
            try:
                write(path, saved)
            except OSError as error:
                self._tell(f"series {saved.name} is not written: {error}")
