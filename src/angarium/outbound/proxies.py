"""The proxies by which connections leave: where they are, and whether they are in order.

A proxy that is out of order is no fault of hosts nor of mail: what would go by it waits. The module
ha_proxy_client looks at each proxy again and again; so many failures in a row put one out of order,
so many successes bring it back. Without it each connection finds out by itself.
"""

import asyncio
import socket
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from angarium.config.kinds import Place
from angarium.core.errors import Error
from angarium.net.address import BY_THE_SYSTEM, Buffers
from angarium.net.answer import Answer
from angarium.net.egress import connect_by, reachable
from angarium.net.errors import ProxyError
from angarium.net.sweep import NEVER, Sweep
from angarium.outbound.egress import Egress
from angarium.outbound.smtp import Session

_FAMILIES: Final = (socket.AF_INET, socket.AF_INET6)
Reachable = Callable[[tuple[str, int], float], Any]  # `net.egress.reachable`


class Resolver(Protocol):
    """What is asked of DNS."""

    async def address(self, name: str, families: Collection[int]) -> Answer[str]: ...


@dataclass(frozen=True, slots=True)
class Health:
    """How proxies are looked at. The numbers are those of the example in Momentum's manual."""

    interval: float = 5.0
    timeout: float = 1.0
    failures: int = 3
    successes: int = 3


class State:
    """What is known of one proxy. `row`: results in a row which say the contrary of `works`."""

    __slots__ = ("place", "row", "works")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.works = True
        self.row = 0


class Proxies:
    """Those of all bindings.

    Args:
        alarm: told when one is out of order, and when it is back.
    """

    __slots__ = (
        "_alarm", "_health", "_looking", "_reachable", "_resolver", "_states", "_sweep", "slot",
    )  # fmt: skip

    def __init__(
        self,
        resolver: Resolver,
        sweep: Sweep,
        alarm: Callable[[str], None],
        look: Reachable = reachable,
    ) -> None:
        self._resolver = resolver
        self._sweep = sweep
        self._alarm = alarm
        self._reachable = look
        self._health: Health | None = None
        self._states: dict[Place, State] = {}
        self._looking: set[asyncio.Task[None]] = set()
        self.slot = 0  # the sweep's

    def configure(self, servers: Iterable[Place], health: Health | None) -> None:
        """Look at the proxies of a generation, if `health` says how; what is known stays."""
        wanted = dict.fromkeys(servers) if health is not None else {}
        self._states = {each: self._states.get(each) or State(each) for each in wanted}
        self._health = health
        if self._states:
            self._sweep.add(self, self._sweep.now())

    def trouble(self, server: Place) -> str:
        """Return why nothing goes by a proxy; "": it is taken to be in order."""
        state = self._states.get(server)
        return "" if state is None or state.works else f"proxy {server} does not answer"

    async def connect(
        self,
        way: Egress,
        factory: Callable[[], Session],
        host: str,
        port: int,
        *,
        within: float,
        buffers: Buffers = BY_THE_SYSTEM,
    ) -> tuple[Any, Session]:
        """Connect to a host by a proxy; raises what `net.egress.connect_by` raises."""
        if trouble := self.trouble(way.server):
            raise ProxyError(trouble)
        opening = way.opening(host, port)
        place = await self._place(way.server)
        return await connect_by(factory, place, opening, within=within, buffers=buffers)

    def look(self, now: float) -> float:
        """Begin to look at all of them; called by the sweep."""
        if self._health is None or not self._states:
            return NEVER
        if not self._looking:  # What is slow is not asked twice at once.
            for state in self._states.values():
                task = asyncio.ensure_future(self._look_at(state, self._health))
                self._looking.add(task)
                task.add_done_callback(self._looking.discard)
        return now + self._health.interval

    def close(self) -> None:
        """Look at none of them any more."""
        self._states = {}
        for each in self._looking:
            each.cancel()

    async def _look_at(self, state: State, health: Health) -> None:
        reason = ""
        try:
            # Its name is looked up anew, so that who has moved is found.
            async with asyncio.timeout(health.timeout):
                place = await self._place(state.place)
            await self._reachable(place, health.timeout)
        except (Error, TimeoutError) as error:
            reason = str(error) or "its name cannot be looked up in time"
        self._note(state, health, reason)

    def _note(self, state: State, health: Health, reason: str) -> None:
        if state.works is not bool(reason):
            state.row = 0
            return
        state.row += 1
        if state.row < (health.failures if state.works else health.successes):
            return
        state.works, state.row = not state.works, 0
        if state.works:
            self._alarm(f"proxy {state.place} is back")
        else:
            self._alarm(f"proxy {state.place} is out of order, its mail waits: {reason}")

    async def _place(self, server: Place) -> tuple[str, int]:
        """Return the address of a proxy. Raises ProxyError."""
        answer = await self._resolver.address(server.host, _FAMILIES)
        if not answer.records:
            raise ProxyError(f"proxy {server}: {answer.status.value}")
        return answer.records[0], server.port
