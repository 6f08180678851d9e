"""What a connection is counted as, in the ledger which all workers share.

A connection holds one permit for its line, one for each wider limit that covers it (the stanza,
the binding, the server), and, once it is known, one for the host. It takes all or none.

What is held while others wait is given back: at once where it rests, and while it is in use when it
has paid for its greeting, for others who have fewer. One connection gives way for each who waits.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from angarium.queue.line import Key
from angarium.queue.options import HostLimits, ServerLimits, Shape
from angarium.queue.throttle import Grant, Ledger

UNLIMITED: Final = -1

Limit = tuple[str, int]  # a key of the ledger, and how many it allows


class Others(Protocol):
    """The other lines of this worker: `outbound/outlet`."""

    def others_wait(self, key: str) -> bool:
        """Say whether another line waits for a key."""
        ...

    def give_way(self, key: str) -> bool:
        """Say whether to give one of a key back for a line that has fewer connections."""
        ...


class _Nobody:
    """There are no other lines."""

    def others_wait(self, key: str) -> bool:
        return False

    def give_way(self, key: str) -> bool:
        return False


NOBODY: Final = _Nobody()


class Permit:
    """What one connection holds; `release` gives all back, once.

    Args:
        others: of this worker, who may wait for what it holds.
        among: where it stands while it holds something.
    """

    __slots__ = ("_among", "_others", "denied", "keys", "ledger")

    def __init__(
        self, ledger: Ledger, others: Others = NOBODY, among: "set[Permit] | None" = None
    ) -> None:
        self.ledger = ledger
        self._others = others
        self._among: set[Permit] = set() if among is None else among
        self.keys: list[str] = []
        self.denied = ""  # The key that was not to be had.

    def acquire(self, limits: Sequence[Limit]) -> Grant:
        """Take one of each, or none and say why: `denied` is the key to wait for."""
        for number, (key, cap) in enumerate(limits):
            grant = self.ledger.acquire(key, cap)
            if not grant:
                self.denied = key
                for taken, _ in limits[:number]:
                    self.ledger.release(taken)
                return grant
        self.keys += [key for key, _ in limits]
        self._among.add(self)
        return Grant.GRANTED

    def release(self) -> None:
        keys, self.keys = self.keys, []
        self._among.discard(self)
        for key in keys:
            self.ledger.release(key)

    def give_back(self, limits: Sequence[Limit]) -> None:
        """Give some of it back: the host's, when another host is tried."""
        for key, _ in limits:
            self.keys.remove(key)
            self.ledger.release(key)

    def holds(self, key: str) -> bool:
        return key in self.keys

    def wanted(self) -> bool:
        """Say whether anybody waits for one of these; asked when it is not needed."""
        ledger, others = self.ledger, self._others
        return ledger.contended and any(
            others.others_wait(key) or ledger.wanted(key) for key in self.keys
        )

    def give_way(self) -> bool:
        """Say whether to give it back although it is in use; asked when it has paid for itself."""
        ledger, others = self.ledger, self._others
        return ledger.contended and any(
            others.give_way(key) or ledger.give_way(key) for key in self.keys
        )


def limits_of(key: Key, shape: Shape, server: ServerLimits, *, first: bool) -> list[Limit]:
    """Return the limits of a connection of a line.

    Args:
        first: the line has no connection; then the server's reserve is for it too.
    """
    limits: list[Limit] = []
    if shape.max_outbound_connections != UNLIMITED:
        limits.append(("line:" + "/".join(key), shape.max_outbound_connections))
    wider = (shape.scope_max_outbound_connections, shape.server_max_outbound_connections)
    limits += [(f"cap:{cap.key}", cap.count) for cap in wider if cap is not None]
    whole = server.server_max_outbound_connections
    if whole is not None:
        reserve = server.server_reserve_outbound_connections if first else 0
        limit = (f"cap:{whole.key}", whole.count + reserve)
        # Where no narrower stanza sets it, the line's own limit is the server's.
        limits = [each for each in limits if each[0] != limit[0]]
        limits.append(limit)
    return limits


def limits_at(name: str, limits: HostLimits) -> list[Limit]:
    """Return the limits of a host stanza for the mail server of that name, if there are any."""
    found: list[Limit] = []
    if limits.max_outbound_connections != UNLIMITED:
        found.append((f"host:{name}", limits.max_outbound_connections))
    cap = limits.scope_max_outbound_connections
    if cap is not None:
        found.append((f"cap:{cap.key}", cap.count))
    return found
