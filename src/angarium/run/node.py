"""The processes of this node, as commands of the console see them (`console/node`)."""

import os
import signal
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final, Protocol, TypeVar

from angarium.console.imports import Imports
from angarium.console.node import Member, Tell, nobody
from angarium.console.question import Answers, Asking, Of
from angarium.console.schedule import Schedule
from angarium.core.clock import Clock
from angarium.run import link, signed
from angarium.run.child import Child
from angarium.run.fanout import Fanout
from angarium.run.handover import KeptNode
from angarium.run.options import Node as NodeOptions
from angarium.run.renewal import Generation

R = TypeVar("R")

_WORKER: Final = "worker"
_HOSE: Final = "hose"


class Processes(Protocol):
    """The supervisor, as far as this file needs it."""

    @property
    def generation(self) -> Generation: ...

    def children(self) -> Sequence[Child]:
        """Return all children which run, those which leave too."""
        ...


class Node:
    """The processes of this node.

    Args:
        kept: what the program before us knew, if we have taken its place.
        state: the directory in which figures outlast the server.
        warn: is told when they do not.
    """

    def __init__(
        self,
        processes: Processes,
        clock: Clock,
        kept: KeptNode | None = None,
        *,
        state: Path | None = None,
        warn: Callable[[str], object] = str,
    ) -> None:
        anew, kept = kept is None, kept or KeptNode()
        self._state = state
        self._warn = warn
        self._processes = processes
        self._clock = clock
        self._since = dict(kept.since)
        self._fanout = Fanout(max(1, int(clock.time() * 1000)))
        self.started = kept.started or clock.time()
        self.statistics = kept.statistics
        if anew and state is not None:
            self.statistics.gone.signed, fault = signed.load(state)
            if fault:
                warn(fault)
        self.imports = Imports(self)
        self.schedule = Schedule(clock)
        self._orders = kept.imports

    def keep(self) -> KeptNode:
        """Return what the program has to know which takes our place."""
        return KeptNode(self.started, self._since, self.statistics, self.imports.kept())

    @property
    def pid(self) -> int:
        return os.getpid()

    @property
    def release(self) -> str:
        return version("angarium")

    @property
    def members(self) -> Sequence[Member]:
        return [
            Member(
                each.name,
                each.pid,
                kind(each.name),
                self._since.get(each.pid, 0.0),
                each.ready,
                each.leaving,
            )
            for each in self._processes.children()
        ]

    def stop(self) -> None:
        # By the way a shell does it: the loop hears it when the command has answered.
        os.kill(os.getpid(), signal.SIGTERM)

    def reopen(self) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)

    async def ask(
        self, asking: Asking[R], *, tell: Tell = nobody, only: Sequence[str] = ()
    ) -> Answers[R]:
        children = [
            each
            for each in self._processes.children()
            if kind(each.name) & asking.of and (not only or each.name in only)
        ]
        patience = self._processes.generation.configuration.top(NodeOptions).command_timeout
        return await self._fanout.ask(asking, children, patience, tell)

    # What the supervisor tells.

    def joined(self, child: Child) -> None:
        self._since[child.pid] = self._clock.time()

    def resumed(self) -> None:
        """We are in the place of a program which had questions under way: nobody waits for them."""
        for each in self._processes.children():
            each.send(link.Withdrawn())
        for order in self._orders:
            self.imports.begin(order)

    def counted(self, message: link.Counted) -> None:
        self.statistics.gone.add(message.names, message.bindings, message.signed)
        self._keep_signed()

    def forget_signed(self) -> None:
        self.statistics.gone.signed.clear()
        self._keep_signed()

    def _keep_signed(self) -> None:
        known = self.statistics.gone.signed
        if self._state is not None and (fault := signed.save(self._state, known)):
            self._warn(fault)

    def received(self, message: link.Meanwhile | link.Answered) -> None:
        self._fanout.received(message)

    def died(self, child: Child) -> None:
        self._since.pop(child.pid, None)
        self._fanout.ended(child)


def kind(name: str) -> Of:
    """Return what a child of this name is: `worker 0`, `hose`, `monitor`."""
    if name.startswith(_WORKER):
        return Of.WORKER
    return Of.HOSE if name.startswith(_HOSE) else Of.AIDE
