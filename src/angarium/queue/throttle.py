"""Rates and counts which limit sending, and the ledger they are kept in.

A *count* is how many of something are open at once, a *rate* how many may begin in a time. Both
are known by a key; who shares a key is limited together. `LocalLedger` keeps them for one worker,
`ledger.SharedLedger` for all workers of a node, `cluster/ledger` for many nodes.

Rates are kept by GCRA: one number per key, the time at which the next event would be on schedule.
It says the exact next time, and needs no window to be swept.
"""

import enum
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from angarium.core.clock import Clock
from angarium.core.units import Rate
from angarium.queue.options import HostLimits, ServerLimits

if TYPE_CHECKING:
    from angarium.queue.board import Board
    from angarium.queue.line import Line

# How much of a rate may come at once: what it allows in a tenth of a second. So a high rate costs
# no timer per message, and a low one is kept to the second.
BURST_SECONDS: Final = 0.1
# Before a count of a row whose lock another worker holds is tried again: a change takes 3 us.
BUSY_SECONDS: Final = 0.001
# A connection which holds what others wait for is closed after so much of either (ARCHITECTURE 2).
HAND_BACK_MESSAGES: Final = 20
HAND_BACK_SECONDS: Final = 5.0
_SWEEP: Final = 1024  # rates known, from which it pays to look for those that no longer matter


class Grant(enum.Enum):
    """The answer to a wish for a permit; only GRANTED is true."""

    GRANTED = "you have it"
    DENIED = "none is free; on_free says when"
    BUSY = "the row is being changed; ask again in BUSY_SECONDS"

    def __bool__(self) -> bool:
        return self is Grant.GRANTED


class Ledger(Protocol):
    """What is counted, by key. All calls return at once."""

    on_free: Callable[[str], None]  # called with a key of which a permit may be free again

    def acquire(self, key: str, cap: int) -> Grant:
        """Count one more, if fewer than `cap` are counted."""
        ...

    def release(self, key: str) -> None:
        """Count one less."""
        ...

    def take(self, key: str, rate: Rate, n: int = 1) -> float:
        """Count `n` events, if the rate allows one; return 0.0, or else the seconds to wait."""
        ...

    def wanted(self, key: str) -> bool:
        """Say whether somebody elsewhere has waited for `key` longer than we have held it."""
        ...

    def forget(self, key: str) -> None:
        """Nobody here waits for `key` any more."""
        ...

    def tick(self) -> None:
        """Do what could not be done at once; called once a second."""
        ...


def burst(rate: Rate) -> int:
    """Return how many events may come at once; at least one."""
    return max(int(BURST_SECONDS / rate.interval), 1)


def nobody(key: str) -> None:
    """Nobody waits."""


class LocalLedger:
    """The ledger of a server with one worker."""

    __slots__ = ("_clock", "_counts", "_rates", "_sweep_at", "_waiting", "on_free")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._rates: dict[str, float] = {}  # the time the next event is on schedule, monotonic
        self._sweep_at = _SWEEP
        self._waiting: set[str] = set()
        self.on_free: Callable[[str], None] = nobody

    def acquire(self, key: str, cap: int) -> Grant:
        count = self._counts.get(key, 0)
        if count >= cap:
            self._waiting.add(key)
            return Grant.DENIED
        self._counts[key] = count + 1
        return Grant.GRANTED

    def release(self, key: str) -> None:
        count = self._counts[key] - 1
        if count:
            self._counts[key] = count
        else:
            del self._counts[key]
        if key in self._waiting:
            self._waiting.remove(key)
            self.on_free(key)

    def take(self, key: str, rate: Rate, n: int = 1) -> float:
        now = self._clock.monotonic()
        at = self._rates.get(key, now)
        early = at - now - (burst(rate) - 1) * rate.interval
        if early > 0.0:
            return early
        self._rates[key] = max(at, now) + n * rate.interval
        if len(self._rates) > self._sweep_at:
            self._rates = {each: at for each, at in self._rates.items() if at > now}
            self._sweep_at = max(_SWEEP, 2 * len(self._rates))
        return 0.0

    def wanted(self, key: str) -> bool:
        return False

    def tick(self) -> None:
        """Nothing is ever late here."""

    def forget(self, key: str) -> None:
        self._waiting.discard(key)

    def count(self, key: str) -> int:
        return self._counts.get(key, 0)


class Permit:
    """What one connection holds; `Connections.close` gives it back."""

    __slots__ = ("keys", "line", "messages", "opened_at")

    def __init__(self, opened_at: float) -> None:
        self.line: Line | None = None
        self.opened_at = opened_at  # monotonic
        self.messages = 0  # sent since; kept by who has the connection
        self.keys: list[str] = []


class Connections:
    """Permits for connections: of the line, of the scopes it is in, of the server, of the host.

    A line which is refused is asked again (`Board.demand`) when there is something for it: at the
    time a rate allows, or when a permit of what was short comes free.
    """

    __slots__ = ("_board",)

    def __init__(self, board: "Board") -> None:
        self._board = board

    def open(self, line: "Line") -> Permit | None:
        """Return a permit for one more connection of the line, or None: wait to be asked."""
        if line.parked:
            return None
        board = self._board
        permit = Permit(board.clock.monotonic())
        for key, cap in self._caps(line):
            grant = board.ledger.acquire(key, cap)
            if not grant:
                self.close(permit)
                if grant is Grant.BUSY:
                    board.wait(line, BUSY_SECONDS)
                else:
                    board.schedule.park(line, key)
                return None
            permit.keys.append(key)
        throttle = line.shape.outbound_throttle_connections
        if throttle is not None:
            wait = board.ledger.take(throttle.key, throttle.rate)
            if wait > 0.0:
                self.close(permit)
                board.wait(line, wait)
                return None
        line.connections += 1
        permit.line = line
        return permit

    def _caps(self, line: "Line") -> list[tuple[str, int]]:
        shape = line.shape
        caps: list[tuple[str, int]] = []
        if shape.max_outbound_connections >= 0:
            caps.append(("line " + " ".join(line.key), shape.max_outbound_connections))
        scope = shape.scope_max_outbound_connections
        if scope is not None:
            caps.append((scope.key, scope.count))
        limits = self._board.configuration.top(ServerLimits)
        server = limits.server_max_outbound_connections
        own = shape.server_max_outbound_connections
        if own is not None and (server is None or own.key != server.key):
            caps.append((own.key, own.count))
        if server is not None:
            # The reserve is for those who have nothing.
            spare = 0 if line.connections else limits.server_reserve_outbound_connections
            caps.append((server.key, server.count + spare))
        return caps

    def enter_host(self, permit: Permit, host: str, limits: HostLimits) -> float:
        """Count the connection for a host too.

        Returns:
            0.0: counted. Else the seconds after which it is worth to ask again; infinite where a
            connection to the host must end first: then `Schedule.park` for `host_key(host)`.
        """
        ledger = self._board.ledger
        if limits.max_outbound_connections >= 0:
            grant = ledger.acquire(host_key(host), limits.max_outbound_connections)
            if not grant:
                return BUSY_SECONDS if grant is Grant.BUSY else math.inf
            permit.keys.append(host_key(host))
        throttle = limits.outbound_throttle_connections
        wait = 0.0 if throttle is None else ledger.take(throttle.key, throttle.rate)
        if wait > 0.0 and limits.max_outbound_connections >= 0:
            ledger.release(permit.keys.pop())
        return wait

    def close(self, permit: Permit) -> None:
        """Give everything back; a second time does nothing."""
        if permit.line is not None:
            permit.line.connections -= 1
            permit.line = None
        while permit.keys:
            self._board.ledger.release(permit.keys.pop())

    def hand_back(self, permit: Permit) -> bool:
        """Say whether the connection is to be closed, because others wait for what it holds.

        Asked between two messages. So a cap of one connection goes round.
        """
        held = self._board.clock.monotonic() - permit.opened_at
        if permit.messages < HAND_BACK_MESSAGES and held < HAND_BACK_SECONDS:
            return False
        board = self._board
        return any(board.schedule.waiting(key) or board.ledger.wanted(key) for key in permit.keys)


def host_key(host: str) -> str:
    return f"host {host}"
