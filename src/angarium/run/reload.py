"""A reload in two phases: every child prepares the new generation, then all commit, or none does.

A child that dies meanwhile counts as agreeing; one that is started meanwhile takes part, for it
begins with the old generation. A child which does not answer is named soon, and refuses in the end.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from angarium.config.resolve import Configuration
from angarium.core.fault import FAULTS, point
from angarium.run import link
from angarium.run.child import Child
from angarium.run.sockets import Change

ASKED: Final = point("reload.asked", "all children are asked to prepare the next generation")
AGREED: Final = point("reload.agreed", "all children have agreed, and none was told")
TOLD: Final = point("reload.told", "one child was told what was decided, and others were not")

SECONDS: Final = 30.0  # without an answer by then it is a refusal; `init` of scripts takes time


def _nobody(names: str) -> None:
    """Nobody is told."""


class Reload:
    """One reload under way.

    Args:
        change: the listening sockets which the generation wants.
        reload: the files were read again, so sessions from before have to end.
        done: called once with the reason of a refusal, or "" when the generation holds.
        slow: told who has not answered within `slow_seconds`.
    """

    def __init__(
        self,
        generation: int,
        snapshot: bytes,
        configuration: Configuration,
        change: Change,
        children: Sequence[Child],
        done: Callable[[str], None],
        *,
        reload: bool = True,
        slow: Callable[[str], None] = _nobody,
        slow_seconds: float = 2.0,
    ) -> None:
        self.generation = generation
        self.snapshot = snapshot
        self.configuration = configuration
        self._change = change
        self._waiting = {child.pid: child for child in children}
        self._children = list(children)
        self._done = done
        self._is_reload = reload
        self._slow = slow
        self._slow_seconds = slow_seconds
        self._timers: list[asyncio.TimerHandle] = []

    def begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._timers = [
            loop.call_later(SECONDS, self._late),
            loop.call_later(self._slow_seconds, lambda: self._slow(self._missing)),
        ]
        for child in self._children:
            self._ask(child)
        FAULTS.hit(ASKED)
        self._settle()

    def join(self, child: Child) -> None:
        """A child has been started with the old generation."""
        self._children.append(child)
        self._waiting[child.pid] = child
        self._ask(child)

    def _ask(self, child: Child) -> None:
        descriptors = self._change.descriptors()
        child.hand_over(descriptors)
        held = self.configuration.held
        child.send(link.Prepare(self.generation, self.snapshot, list(descriptors), held))

    def answered(self, child: Child, refusal: str) -> None:
        """Take a child's answer; the first refusal ends the reload."""
        self._waiting.pop(child.pid, None)
        self._settle(f"{child.name}: {refusal}" if refusal else "")

    def ended(self, child: Child) -> None:
        """A child has died."""
        if self._waiting.pop(child.pid, None) is not None:
            self._settle()

    @property
    def _missing(self) -> str:
        return ", ".join(child.name for child in self._waiting.values())

    def _late(self) -> None:
        self._settle(f"no answer from {self._missing} within {SECONDS:g} s")

    def _settle(self, refusal: str = "") -> None:
        if not self._timers or (self._waiting and not refusal):
            return
        for timer in self._timers:
            timer.cancel()
        self._timers = []
        verdict = (
            link.Abort(self.generation)
            if refusal
            else link.Commit(self.generation, self._is_reload)
        )
        if refusal:
            self._change.abort()
        else:
            FAULTS.hit(AGREED)
            self._change.commit()
        for child in self._children:
            child.send(verdict)
            FAULTS.hit(TOLD)
        self._done(refusal)
