"""An upgrade: everything that runs becomes the program on the disk, and what its files say.

    rehearse    the new program is asked whether it could take our place (`run/rehearsal`)
    replace     it takes the supervisor's place, in place (`run/replace`); from here on it is its
    hose        the hose is put in its place: it must be able to read what new workers write
    workers     new ones start with the configuration as it is in the files now (`run/fleet`),
                or with what is in force, where a console has changed that and not written it
    leaving     they are ready and accept; the old ones finish, and leave their shards
    done        all that was queued is found

Whatever fails before `leaving` is told, and the old workers go on with the old configuration as if
nothing had been asked for. Here stands what comes when; how, with whom it is.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final, Protocol

from angarium.config.errors import ConfigError
from angarium.config.load import load_snapshot
from angarium.config.resolve import Configuration
from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.run import handover
from angarium.run.handover import Handover
from angarium.run.hose import loggers_of
from angarium.run.plan import Plan, endpoints
from angarium.run.progress import DONE, FAILED, Progress
from angarium.run.rehearsal import Rehearsal
from angarium.run.replace import replace
from angarium.run.sockets import Change, ListenError, Sockets, shown

REST_SECONDS: Final = 10.0  # for children to read what we have said to them
LOOK_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Generation:
    """A configuration, and the octets it comes from."""

    number: int
    snapshot: bytes
    configuration: Configuration


class Program:
    """The program on the disk; another one in the tests."""

    def rehearse(self, draft: Handover, done: Callable[[str, str], None]) -> Callable[[], None]:
        """Ask whether it could take our place; return what ends the asking."""
        descriptor = handover.write(draft)
        try:
            return Rehearsal(descriptor, done).end
        finally:
            os.close(descriptor)

    def replace(self, given: Handover) -> str:
        """Give it our place; return only if that failed, with the reason."""
        return replace(given)


class Node(Protocol):
    """The supervisor which is replaced, and which replaces."""

    @property
    def busy(self) -> str:
        """Return why nothing can begin now, "" if it can."""
        ...

    @property
    def generation(self) -> Generation: ...

    @property
    def at_rest(self) -> bool:
        """Say whether all that was said to children is on its way."""
        ...

    def hand_over(self, *, draft: bool) -> Handover:
        """Return what another program needs; if it is no draft, hear nothing from here on."""
        ...

    def go_on(self) -> None:
        """Hear again: nobody has taken our place."""
        ...

    def renew_hose(self, done: Callable[[], None]) -> None: ...

    def renew_workers(self, coming: Generation) -> None: ...

    def coming(self) -> bytes:
        """Return the snapshot which new workers begin with. Raises ConfigError."""
        ...

    def use(self, coming: Generation) -> None:
        """New workers have this configuration, and everything else is to have it."""
        ...

    def renewed(self) -> None:
        """The upgrade is over, however it went."""
        ...


class Renewal:
    """The upgrades of one supervisor.

    Attributes:
        coming: the configuration of new workers, until it is everybody's.
    """

    def __init__(
        self,
        node: Node,
        plan: Plan,
        sockets: Sockets,
        progress: Progress,
        clock: Clock,
        log: Any,
        program: Program,
    ) -> None:
        self._node = node
        self._plan = plan
        self._sockets = sockets
        self._clock = clock
        self._log = log
        self._program = program
        self._stage = ""
        self._stop: Callable[[], None] | None = None
        self._change: Change | None = None
        self.progress = progress
        self.coming: Generation | None = None

    @property
    def undecided(self) -> bool:
        """Say whether an upgrade is under way which may still be given up."""
        return self._stage not in ("", "leaving")

    @property
    def under_way(self) -> bool:
        return bool(self._stage)

    def descriptors(self) -> dict[str, int]:
        """Return the listening sockets of new workers, by label."""
        assert self._change is not None
        return self._change.wanted()

    # In the program which is replaced.

    def begin(self) -> None:
        if reason := "an upgrade is under way" if self._stage else self._node.busy:
            self._log.warning("upgrade refused", reason=reason)
            self.progress.refuse(reason)
            return
        self._stage = "rehearse"
        self.progress.begin("asking the program on the disk whether it can take over")
        self._log.info("upgrade: the program on the disk is asked", upgrade=self.progress.number)
        try:
            draft = self._node.hand_over(draft=True)
            self._stop = self._program.rehearse(draft, self._rehearsed)
        except OSError as error:
            self.fail(str(error))

    def _rehearsed(self, reason: str, release: str) -> None:
        self._stop = None
        if not self._stage:
            return
        if reason:
            self.fail(f"the new program cannot take over: {reason}")
            return
        ours = version("angarium")
        self.progress.note("rehearsed", f"Angarium {release} is to take over from {ours}")
        self._stage = "replace"
        self._replace(self._clock.monotonic() + REST_SECONDS)

    def _replace(self, until: float) -> None:
        if self._stage != "replace":
            return
        if not self._node.at_rest:
            if self._clock.monotonic() >= until:
                self.fail("a worker does not hear what it is told")
            else:
                asyncio.get_running_loop().call_later(LOOK_SECONDS, self._replace, until)
            return
        reason = self._program.replace(self._node.hand_over(draft=False))
        self._node.go_on()
        self.fail(f"the new program could not be started: {reason}")

    # In the program which replaces.

    def take_over(self) -> None:
        """We are the new program: go on with the upgrade."""
        release = version("angarium")
        self._log.info("upgrade: supervisor replaced", release=release)
        self.progress.note("replaced", f"the supervisor is Angarium {release}")
        self._stage = "hose"
        self._node.renew_hose(self._workers)

    def _workers(self) -> None:
        if self._stage != "hose":
            return
        number = self._node.generation.number + 1
        try:
            text = self._node.coming()
            held = self._node.generation.configuration.held
            configuration = load_snapshot(text, generation=number, held=held)
            loggers_of(configuration, self._plan.state)
            self._change = self._sockets.change(endpoints(configuration), running=True)
        except (ConfigError, ListenError, Error, OSError) as error:
            self.fail(str(error))
            return
        for where in self._change.left_out:
            self._log.warning("needs restart", listen=shown(where))
        for option in self._plan.needs_stop(configuration):
            self._log.warning("needs restart", option=option)
        self._stage = "workers"
        self.coming = Generation(number, text, configuration)
        self._node.renew_workers(self.coming)

    def started(self, workers: int) -> None:
        self.progress.note("starting", f"{workers} new workers start")

    def upgraded(self, leaving: Sequence[int]) -> None:
        """New workers are ready."""
        assert self.coming is not None
        assert self._change is not None
        self._stage = "leaving"
        self._change.commit()
        coming, self.coming, self._change = self.coming, None, None
        names = ", ".join(map(str, leaving))
        self.progress.note("ready", f"new workers take the mail; workers {names} leave")
        self._node.use(coming)

    def settled(self, refused: Mapping[str, str]) -> None:
        """The old workers have gone, and what they had is found."""
        if self._stage != "leaving":
            return
        self._stage = ""
        if refused:
            reasons = "; ".join(f"shard {name}: {why}" for name, why in refused.items())
            self.progress.note(FAILED, f"mail stays on the disk, untouched: {reasons}")
        else:
            self._log.info("upgrade done", upgrade=self.progress.number)
            self.progress.note(DONE, "everything is with the new workers")
        self._node.renewed()

    # In both.

    def fail(self, reason: str) -> None:
        """The old workers stay."""
        if not self._stage:
            return
        self.coming = None
        if self._change is not None:
            self._change.abort()
            self._change = None
        self._stage = ""
        self._log.error("upgrade given up, the old workers stay", reason=reason)
        self.progress.note(FAILED, f"the old workers stay: {reason}")
        self._node.renewed()

    def stop(self) -> None:
        """The node stops: nothing is renewed any more."""
        if self._stop is not None:
            self._stop()
        if self._stage == "leaving":
            self._stage = ""
            self.progress.note(FAILED, "the server stops")
        else:
            self.fail("the server stops")
