"""The hose, as its supervisor sees it: one child, started again when it ends.

Mail does not depend on it, so nobody waits for it but an upgrade: what new workers write, the old
program may not be able to read.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

from angarium.core.clock import Clock
from angarium.run import link
from angarium.run.child import Backoff, Child, resumed
from angarium.run.handover import KeptSolo

PROGRAM: Final = "angarium.run.scribe"
DRAIN_SECONDS: Final = 5.0  # to write what is left


class Owner(Protocol):
    """Whom the hose works for."""

    def hose_start(self) -> link.Start: ...

    def joined(self, child: Child) -> None: ...

    def received(self, child: Child, message: link.Message) -> None: ...

    def hose_ended(self, child: Child) -> None: ...

    def hose_wanted(self) -> bool:
        """Say whether it is to be started again."""
        ...


class Solo:
    """The hose.

    Attributes:
        child: None while it does not run.
    """

    def __init__(self, owner: Owner, clock: Clock, log: Any, spawn: Callable[..., Child]) -> None:
        self._owner = owner
        self._clock = clock
        self._log = log
        self._spawn = spawn
        self._backoff = Backoff()
        self._started = 0.0
        self._renewed: Callable[[], None] | None = None
        self.child: Child | None = None

    def start(self) -> None:
        self._started = self._clock.monotonic()
        start = self._owner.hose_start()
        self.child = self._spawn(PROGRAM, "hose", start, {}, self._owner.received, self._ended)
        self._owner.joined(self.child)

    def resume(self, kept: KeptSolo) -> None:
        """Go on with the one of the program before us."""
        self._started = kept.started
        self._backoff.failures = kept.failures
        if kept.child is None:
            self.start()
        else:
            self.child = resumed(kept.child, self._owner.received, self._ended)
            self._owner.joined(self.child)

    def keep(self) -> KeptSolo:
        """Return what another needs to go on; nothing is heard from here on."""
        child = self.child.keep() if self.child is not None else None
        return KeptSolo(self._started, self._backoff.failures, child)

    def go_on(self) -> None:
        """Hear again: nobody has taken our place."""
        if self.child is not None:
            self.child.go_on()

    def send(self, message: link.Message) -> None:
        if self.child is not None:
            self.child.send(message)

    def renew(self, done: Callable[[], None]) -> None:
        """Put one of the program on the disk in its place; call `done` when it reads."""
        self._renewed = done
        if self.child is not None:
            self.drain(self.child)

    def is_ready(self) -> None:
        """The hose reads."""
        done, self._renewed = self._renewed, None
        if done is not None:
            done()

    def drain(self, child: Child) -> None:
        """Let it write what is left and end, soon."""
        child.send(link.Drain(DRAIN_SECONDS))
        asyncio.get_running_loop().call_later(2 * DRAIN_SECONDS, child.kill)

    def _ended(self, child: Child, status: int) -> None:
        self.child = None
        self._owner.hose_ended(child)
        if not self._owner.hose_wanted():
            return
        wait = self._backoff.after(self._clock.monotonic() - self._started)
        if status:
            self._log.error("hose died; mail goes on", status=status, restart_in=wait)
        asyncio.get_running_loop().call_later(wait, self._restart)

    def _restart(self) -> None:
        if self.child is None and self._owner.hose_wanted():
            self.start()
