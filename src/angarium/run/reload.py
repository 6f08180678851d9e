"""A reload in two phases: every child prepares the new generation, then all commit, or none does.

A child that dies meanwhile counts as agreeing: it is started again with whatever holds by then.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from angarium.config.resolve import Configuration
from angarium.run import link
from angarium.run.child import Child
from angarium.run.sockets import Change

SECONDS: Final = 30.0  # a child which has not answered by then refuses


class Reload:
    """One reload under way.

    Args:
        change: the listening sockets which the generation wants.
        done: called once with the reason of a refusal, or "" when the generation holds.
    """

    def __init__(
        self,
        generation: int,
        snapshot: bytes,
        configuration: Configuration,
        change: Change,
        children: Sequence[Child],
        done: Callable[[str], None],
    ) -> None:
        self.generation = generation
        self.snapshot = snapshot
        self.configuration = configuration
        self._change = change
        self._waiting = {child.pid: child for child in children}
        self._children = list(children)
        self._done = done
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(SECONDS, self._late)
        for child in self._children:
            child.hand_over(self._change.descriptors())
            child.send(link.Prepare(self.generation, self.snapshot))
        self._settle()

    def answered(self, child: Child, refusal: str) -> None:
        """Take a child's answer; the first refusal ends the reload."""
        self._waiting.pop(child.pid, None)
        self._settle(f"{child.name}: {refusal}" if refusal else "")

    def ended(self, child: Child) -> None:
        """A child has died."""
        if self._waiting.pop(child.pid, None) is not None:
            self._settle()

    def _late(self) -> None:
        names = ", ".join(child.name for child in self._waiting.values())
        self._settle(f"no answer from {names} within {SECONDS:g} s")

    def _settle(self, refusal: str = "") -> None:
        if self._timer is None or (self._waiting and not refusal):
            return
        self._timer.cancel()
        self._timer = None
        verdict = link.Abort(self.generation) if refusal else link.Commit(self.generation)
        if refusal:
            self._change.abort()
        else:
            self._change.commit()
        for child in self._children:
            child.send(verdict)
        self._done(refusal)
