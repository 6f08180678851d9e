"""`Thread`: for what can only wait by blocking, such as SQLite, ldap3 and files.

One connection has one thread, so there are as many as there are connections. A thread which hangs
is given up, not waited for: who called learns that it is late by a timeout, and the room of its
connection is free again when the thread has come to its end.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_Work = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Thread:
    """Runs calls one after the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self._loop = loop
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._ended: asyncio.Future[None] = loop.create_future()
        # A daemon: the process may end while a disk or a directory hangs.
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function there; to be cancelled is not to wait for it any more."""
        future: asyncio.Future[R] = self._loop.create_future()
        self._work.put((lambda: function(*args, **kwargs), future))
        return await future

    def stop(self, last: Callable[[], None]) -> "asyncio.Future[None]":
        """Run this as the last call, and end; return what is done when the thread is gone."""
        self._work.put((last, self._loop.create_future()))
        self._work.put(None)
        return self._ended

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            function, future = work
            self._tell(_settle, future, *_outcome(function))
        self._tell(_settle, self._ended, None, None)

    def _tell(self, function: Callable[..., None], *args: Any) -> None:
        with suppress(RuntimeError):  # The loop has ended meanwhile: nobody waits.
            self._loop.call_soon_threadsafe(function, *args)


def _outcome(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return function(), None
    except BaseException as error:  # noqa: BLE001 - it is raised where it was called
        return None, error


def _settle(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
