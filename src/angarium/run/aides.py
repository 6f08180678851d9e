"""Processes beside the workers, each there when the configuration asks for it: monitor and web.

Mail needs none of them. One that dies is started again; one that hangs is ended by the watchdog
and waited for by nobody, but at the end of a stop, and then not for long. The rule: **they are
told, and asked nothing**: what they cannot take in at once is dropped.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from angarium.config.resolve import Configuration
from angarium.core.clock import Clock
from angarium.modules.monitor import door
from angarium.modules.monitor.options.alerts import Alerting
from angarium.modules.monitor.options.snmp import Snmp, SnmpTraps
from angarium.run import link, scoreboard
from angarium.run.child import Backoff, Child, resumed
from angarium.run.handover import KeptSolo
from angarium.run.sockets import is_of
from angarium.web.options import HTTP, Tracing

DRAIN_SECONDS: Final = 5.0  # to say the last word
MONITOR: Final = "monitor"
ACME: Final = "acme"  # the stanza
AGENT: Final = "snmp"  # label of the socket of the agent
WEB: Final = "web"


def _monitored(configuration: Configuration) -> bool:
    answering = configuration.has("snmp") and configuration.top(Snmp).state
    trapping = configuration.has("snmp_traps") and configuration.top(SnmpTraps).state
    alerting = configuration.has("alerting") and configuration.top(Alerting).enabled
    return answering or trapping or alerting or configuration.has(ACME)


def _asked(configuration: Configuration) -> bool:
    tracing = bool(configuration.top(Tracing).trace_endpoint)
    return tracing or bool(configuration.listens(HTTP))


PLACES: Final = {MONITOR: scoreboard.MONITOR, WEB: scoreboard.WEB}
# Name of the process to its program, and to who asks for it.
PROGRAMS: Final[Mapping[str, tuple[str, Callable[[Configuration], bool]]]] = {
    MONITOR: ("angarium.run.monitor", _monitored),
    WEB: ("angarium.run.webserver", _asked),
}


def sockets_of(name: str, descriptors: Mapping[str, int]) -> dict[str, int]:
    """Return the listening sockets which are for one of them, by label."""
    return {
        label: each for label, each in descriptors.items() if name == WEB and is_of(HTTP, label)
    }


def agent_sockets(name: str, configuration: Configuration) -> dict[str, socket.socket]:
    """Return the socket of the agent of SNMP, where the monitor may not bind it: a low port.

    Where we cannot either, the monitor tries and tells.
    """
    options = configuration.top(Snmp)
    wanted = name == MONITOR and configuration.has("snmp") and options.state
    if not wanted or options.address is None or not 0 < options.address.port < door.LOW:
        return {}
    with suppress(OSError):
        return {AGENT: door.bound(options.address)}
    return {}


class Owner(Protocol):
    """Whom they work for."""

    def aide_start(self, name: str) -> tuple[link.Start, dict[str, int]]: ...

    def joined(self, child: Child) -> None: ...

    def received(self, child: Child, message: link.Message) -> None: ...

    def ended_at(self, place: int, child: Child) -> None:
        """One has ended which had this place on the scoreboard."""
        ...

    def aides_left(self) -> None:
        """All have ended after `drain`."""
        ...


@dataclass(slots=True, eq=False)
class Aide:
    """A place for one of them."""

    name: str
    wanted: bool = True
    child: Child | None = None
    started: float = 0.0
    backoff: Backoff = field(default_factory=Backoff)


class Aides:
    """All of them."""

    def __init__(self, owner: Owner, clock: Clock, log: Any, spawn: Callable[..., Child]) -> None:
        self._owner = owner
        self._clock = clock
        self._log = log
        self._spawn = spawn
        self._aides: dict[str, Aide] = {}
        self._stopping = False
        self._configuration: Configuration

    @property
    def children(self) -> list[Child]:
        return [each.child for each in self._aides.values() if each.child is not None]

    @property
    def watched(self) -> list[tuple[int, Child]]:
        """Return those which run, with their places on the scoreboard."""
        return [(PLACES[child.name], child) for child in self.children]

    def use(self, configuration: Configuration) -> None:
        """Start those which are asked for, and let the others go."""
        self._configuration = configuration
        for name, (_, asked_for) in PROGRAMS.items():
            aide = self._aides.get(name)
            if asked_for(configuration):
                aide = self._aides.setdefault(name, Aide(name))
                aide.wanted = True
                if aide.child is None:
                    self._start(aide)
                else:
                    self._change(aide, aide.child)
            elif aide is not None and aide.wanted:
                aide.wanted = False
                self._dismiss(aide)

    def _change(self, aide: Aide, child: Child) -> None:
        """Tell of a generation which is in force; who does not listen is put in another's place.

        It can refuse nothing, so nobody asks it before: however stuck, it holds up no reload.
        """
        if child.ready and child.clogged:
            child.kill()
            return
        start, descriptors = self._owner.aide_start(aide.name)
        child.hand_over(descriptors)
        given = (start.generation, start.snapshot, list(descriptors), start.held)
        child.send(link.Prepare(*given))
        child.send(link.Commit(start.generation))

    def renew(self) -> None:
        """Put the program on the disk in the place of each."""
        for aide in self._aides.values():
            self._dismiss(aide)

    def resume(self, kept: Mapping[str, KeptSolo]) -> None:
        """Go on with those of the program before us."""
        for name, each in kept.items():
            self._aides[name] = aide = Aide(name, started=each.started)
            aide.backoff.failures = each.failures
            if each.child is not None:
                aide.child = resumed(each.child, self._owner.received, self._ended)
                self._owner.joined(aide.child)

    def keep(self) -> dict[str, KeptSolo]:
        """Return what another needs to go on; nothing is heard from here on."""
        return {
            name: KeptSolo(
                each.started,
                each.backoff.failures,
                each.child.keep() if each.child is not None else None,
            )
            for name, each in self._aides.items()
            if each.wanted
        }

    def go_on(self) -> None:
        """Hear again: nobody has taken our place."""
        for child in self.children:
            child.go_on()

    def tell(self, name: str, message: link.Message) -> None:
        """Say something to one of them, unless it is not there or does not listen."""
        aide = self._aides.get(name)
        if aide is not None and aide.child is not None:
            if aide.child.ready and aide.child.clogged:
                return
            aide.child.send(message)

    def drain(self) -> None:
        """Let all end; none is started again."""
        self._stopping = True
        for aide in self._aides.values():
            aide.wanted = False
            self._dismiss(aide)
        if not self.children:
            self._owner.aides_left()

    def _dismiss(self, aide: Aide) -> None:
        if aide.child is not None:
            aide.child.send(link.Drain(DRAIN_SECONDS))
            asyncio.get_running_loop().call_later(2 * DRAIN_SECONDS, aide.child.kill)

    def _start(self, aide: Aide) -> None:
        if not aide.wanted or aide.child is not None:
            return
        program, _ = PROGRAMS[aide.name]
        aide.started = self._clock.monotonic()
        start, descriptors = self._owner.aide_start(aide.name)
        own = agent_sockets(aide.name, self._configuration)
        descriptors = descriptors | {label: each.fileno() for label, each in own.items()}
        aide.child = self._spawn(
            program, aide.name, start, descriptors, self._owner.received, self._ended
        )
        for each in own.values():
            each.close()  # It is the child's now.
        self._owner.joined(aide.child)

    def _ended(self, child: Child, status: int) -> None:
        aide = next(each for each in self._aides.values() if each.child is child)
        aide.child = None
        self._owner.ended_at(PLACES[aide.name], child)
        if self._stopping:
            if not self.children:
                self._owner.aides_left()
            return
        if status:
            self._log.error(f"{aide.name} died; mail goes on", status=status)
        if aide.wanted:
            wait = aide.backoff.after(self._clock.monotonic() - aide.started)
            asyncio.get_running_loop().call_later(wait, self._start, aide)


class Overheard:
    """A service log, of which the monitor hears each line.

    Args:
        hear: called with each line of another process than the monitor.
    """

    def __init__(self, log: Any, hear: Callable[[link.Told], None]) -> None:
        self._log = log
        self._hear = hear

    def info(self, text: str, **fields: Any) -> None:
        self._log.info(text, **fields)
        self._tell("info", text, fields)

    def warning(self, text: str, **fields: Any) -> None:
        self._log.warning(text, **fields)
        self._tell("warning", text, fields)

    def error(self, text: str, **fields: Any) -> None:
        self._log.error(text, **fields)
        self._tell("error", text, fields)

    def _tell(self, level: str, text: str, fields: Mapping[str, Any]) -> None:
        if fields.get("process") != MONITOR:
            known = {name: str(each) for name, each in fields.items() if name != "exc_info"}
            self._hear(link.Told(level, text, known))


class Postmaster:
    """Brings mail of ours to a worker, and what came of it back."""

    def __init__(self, aides: Aides) -> None:
        self._aides = aides
        self._turn = 0

    def post(self, mail: link.Post, workers: Sequence[Child]) -> None:
        """Give it to one of the workers which accept connections."""
        ready = [each for each in workers if each.ready]
        if not ready:
            self.posted(link.Posted(mail.number, "no worker is ready"))
            return
        self._turn += 1
        ready[self._turn % len(ready)].send(mail)

    def posted(self, outcome: link.Posted) -> None:
        self._aides.tell(MONITOR, outcome)
