"""as_logger: writes audit series to files every so often, and begins them anew with each.

Which series: those which patterns name, or all but those. One worker does it for the node. A file
is called as its series, with the Unix time at which it was written.
"""

import asyncio
from functools import partial
from pathlib import Path

from angarium.core.errors import Error
from angarium.modules.loggers.options.streams import SeriesLogger as Options
from angarium.modules.means import Means
from angarium.policy.shared.series import Series
from angarium.policy.shared.series_file import Saved, path_of, write


class SeriesLogger:
    """The module."""

    def __init__(self, _name: str, options: Options, means: Means) -> None:
        if not options.base_dir or not options.log_interval:
            raise Error("as_logger needs base_dir and log_interval")
        self._folder = means.state / options.base_dir
        self._interval = options.log_interval
        self._all = options.series_include_default == "all"
        patterns = options.series_exclude if self._all else options.series_include
        self._patterns = patterns
        self._enabled = options.enabled
        self._shared = means.shared
        self._loop = means.loop
        self._tell = partial(means.tell, "ERROR")
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None

    def start(self) -> None:
        if self._enabled:
            self._timer = self._loop.call_later(self._interval, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = self._loop.call_later(self._interval, self._look)
        busy = self._writing is not None and not self._writing.done()
        if busy or not self._shared.first:
            return
        due = [self._taken(each) for each in self._shared.all_series() if self._logs(each.name)]
        if due:
            self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, due))

    def _logs(self, name: str) -> bool:
        named = any(each.search(name) for each in self._patterns)
        return named != self._all

    def _taken(self, series: Series) -> tuple[Path, Saved]:
        """Return what a series has, and where it goes; it begins anew."""
        now = self._shared.clock.time()
        saved = Saved(
            series.name, series.kind, series.interval, series.windows, int(now * 1000),
            tuple(self._shared.alive()), series.snapshot(),
        )  # fmt: skip
        series.reset()
        return path_of(self._folder, series.name, f".{int(now)}"), saved

    def _write(self, due: list[tuple[Path, Saved]]) -> None:
        for path, saved in due:
            try:
                write(path, saved)
            except OSError as error:
                self._tell(f"series {saved.name} is not written: {error}")
