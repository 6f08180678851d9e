"""SNMP in the monitor: the agent which answers, and the traps which are sent unasked."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from angarium.config.places import HostPort
from angarium.config.resolve import Configuration
from angarium.core.clock import Clock
from angarium.modules.monitor import facts, snmp
from angarium.modules.monitor.agent import Agent
from angarium.modules.monitor.conditions import SHUTDOWN, START, Conditions, Trap
from angarium.modules.monitor.mib import Facts, Table, objects
from angarium.modules.monitor.options.snmp import (
    Snmp,
    SnmpTraps,
    SnmpUser,
    TrapDestination,
    TrapDestinationByTable,
    TrapUser,
)
from angarium.modules.monitor.traps import Destination, Traps

BOOTS: Final = "snmp-boots"  # in the folder of the monitor
LISTEN_AGAIN_SECONDS: Final = 10.0
STARTED, STOPPING = "Angarium ", "stopping, within"  # begin lines of the service log

Rows = Callable[[], Mapping[tuple[str, str, str], Sequence[int]]]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the numbers come from.

    Attributes:
        readings: numbers which the processes last measured, added up.
        census: what waits on each line, and for each binding.
        tally: what came and went on each line, and for each binding.
    """

    readings: Callable[[], Mapping[str, float]]
    census: Rows
    tally: Rows


class Reporting:
    """The agent and the traps of one server.

    Args:
        started: monotonic time at which the server started.
        complain: tells the operator, through the supervisor.
        given: a socket for the agent, where the supervisor has bound one.
    """

    def __init__(
        self,
        configuration: Configuration,
        host: str,
        state: Path,
        sources: Sources,
        clock: Clock,
        started: float,
        complain: Callable[[str], None],
        *,
        given: socket.socket | None = None,
    ) -> None:
        self._given = given
        self._configuration = configuration
        self._host = host
        self._sources = sources
        self._clock = clock
        self._started = started
        self._complain = complain
        self._boots = snmp.boots(state / "monitor" / BOOTS)
        self._agent: Agent | None = None
        self._listen_at = float("-inf")
        self._silent = False
        self._watched = float("-inf")
        self._under_way: set[asyncio.Task[None]] = set()
        self._traps, self._conditions = self._make_traps()

    @property
    def port(self) -> int:
        """The port of the agent; 0 while it does not listen."""
        return self._agent.port if self._agent is not None else 0

    def use(self, configuration: Configuration) -> None:
        """Go over to another generation, as far as that goes without a restart."""
        self._configuration = configuration

    def second(self) -> None:
        """Let a second pass."""
        now = self._clock.monotonic()
        if self._agent is None and now >= self._listen_at:
            self._listen_at = now + LISTEN_AGAIN_SECONDS
            self._listen()
        if self._traps is not None:
            interval = self._configuration.top(SnmpTraps).watch_interval
            if now - self._watched >= interval:
                self._watched = now
                for trap in self._conditions.look(self._watch(), now):
                    self._send(trap)

    def hear(self, text: str) -> None:
        """Take a line of the service log."""
        if text.startswith(STARTED):
            self._send(Trap(START))
        elif text.startswith(STOPPING):
            self._send(Trap(SHUTDOWN))

    async def close(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=1.0)
        if self._agent is not None:
            self._agent.close()
        if self._traps is not None:
            self._traps.close()

    def _listen(self) -> None:
        configuration = self._configuration
        options = configuration.top(Snmp)
        if not configuration.has("snmp") or not options.state or options.address is None:
            self._listen_at = float("inf")
            return
        section = configuration.root.get("snmp")
        found = section.all(SnmpUser.stanza).items() if section is not None else ()
        users = {name: configuration.of(SnmpUser, inner) for name, inner in found}
        try:
            engine = snmp.engine(self._host, self._boots)
            self._agent = Agent(
                options.address, options.community, users, engine, self.table, self._clock,
                self._given,
            )  # fmt: skip
        except OSError as error:
            if not self._silent:
                self._complain(f"the agent of SNMP cannot listen on {options.address}: {error}")
            self._silent = True
        else:
            self._silent = False

    def table(self) -> Table:
        """Return the objects as they are now."""
        options, sources = self._configuration.top(Snmp), self._sources
        values = sources.readings()
        census, counts = sources.census(), sources.tally()
        bindings = self._configuration.bindings()
        release, built = facts.release()
        everything = facts.total(values)
        return Table(
            objects(
                Facts(
                    host=self._host,
                    version=release,
                    built=built,
                    description=options.sysdescription or "",
                    contact=options.syscontact or "",
                    location=options.syslocation or "",
                    uptime=self._uptime,
                    sessions=int(values.get("sessions_in", 0)),
                    rows=facts.rows_of(everything, bindings, census, counts),
                    lines=facts.lines_of(bindings, census, counts),
                )
            )
        )

    @property
    def _uptime(self) -> float:
        return max(0.0, self._clock.monotonic() - self._started)

    def _make_traps(self) -> tuple[Traps | None, Conditions]:
        configuration = self._configuration
        options = configuration.top(SnmpTraps)
        limits = cast("Mapping[str, int]", options.watch_variables or {})
        conditions = Conditions(limits, options.trap_interval)
        section = configuration.root.get("snmp_traps")
        if section is None or not options.state:
            return None, conditions
        users = {
            name: configuration.of(TrapUser, inner)
            for name, inner in section.all(TrapUser.stanza).items()
        }
        destinations: list[Destination] = []
        for kind in (TrapDestination, TrapDestinationByTable):
            for name, inner in section.all(kind.stanza).items():
                one = configuration.of(kind, inner)
                user = users.get(one.user) if one.user else None
                known = (one.user, user) if one.user and user is not None else None
                if one.user and user is None:
                    self._complain(f"traps to {name}: there is no user {one.user} in snmp_traps")
                    continue
                destinations.append(Destination(HostPort().parse(name), one.community, known))
        engine: Any = snmp.engine(self._host, self._boots)
        return Traps(destinations, engine, self._complain), conditions

    def _watch(self) -> dict[str, int]:
        values = self._sources.readings()
        if "queued" not in values:
            return {}  # No worker has said anything yet.
        now = facts.total(values)
        return {
            "GlobalMailQueue": now.active + now.delayed,
            "ActiveQueue": now.active,
            "DelayedQueue": now.delayed,
            "FailedMessages": now.failed,
        }

    def _send(self, trap: Trap) -> None:
        if self._traps is not None:
            task = asyncio.ensure_future(self._traps.send(trap, self._uptime))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
