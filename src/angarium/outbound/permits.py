"""What a connection is counted as, in the ledger which all workers share.

A connection holds one permit for its line, one for each wider limit that covers it (the stanza,
the binding, the server), and, once it is known, one for the host. It takes all or none.
"""

from collections.abc import Callable, Sequence
from typing import Final

from angarium.queue.line import Key
from angarium.queue.options import HostLimits, ServerLimits, Shape
from angarium.queue.throttle import Grant, Ledger

UNLIMITED: Final = -1

Limit = tuple[str, int]  # a key of the ledger, and how many it allows


def _nobody(key: str) -> bool:
    return False


class Permit:
    """What one connection holds; `release` gives all back, once.

    Args:
        others: says whether another line of this worker waits for a key.
    """

    __slots__ = ("_keys", "_others", "denied", "ledger")

    def __init__(self, ledger: Ledger, others: Callable[[str], bool] = _nobody) -> None:
        self.ledger = ledger
        self._others = others
        self._keys: list[str] = []
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
        self._keys += [key for key, _ in limits]
        return Grant.GRANTED

    def release(self) -> None:
        keys, self._keys = self._keys, []
        for key in keys:
            self.ledger.release(key)

    def give_back(self, limits: Sequence[Limit]) -> None:
        """Give some of it back: the host's, when another host is tried."""
        for key, _ in limits:
            self._keys.remove(key)
            self.ledger.release(key)

    def wanted(self) -> bool:
        """Say whether another line waits for one of these, or another worker has for long."""
        if any(map(self._others, self._keys)):
            return True
        return self.ledger.contended and any(map(self.ledger.wanted, self._keys))


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
    """Return the limit of a host stanza for the mail server of that name, if there is one."""
    if limits.max_outbound_connections == UNLIMITED:
        return []
    return [(f"host:{name}", limits.max_outbound_connections)]
