"""Hosts with which TLS has failed, and which are spoken to in clear for a while instead.

For tls = ifavailable only: there is nobody to keep out of it, and a handshake which fails each
time costs a connection each time. What one worker has found out all of the node know
(`policy/shared/values`): what is over is forgotten, the number kept is bounded, and it outlives
the worker.
"""

import contextlib
from dataclasses import dataclass
from typing import Final

from angarium.policy.shared.node import Shared, SharedError
from angarium.policy.shared.told import octets, text
from angarium.policy.shared.values import Values

NAME: Final = "hosts without tls"  # as the console shows them
MOST: Final = 10_000
MOST_SAID: Final = 300  # characters of a reason, which is others' text

Place = tuple[str, int]  # address and port


@dataclass(frozen=True, slots=True)
class Fault:
    """Why TLS is left out, and until when, Unix time."""

    reason: str
    until: float


class Broken:
    """Those hosts."""

    __slots__ = ("_known", "_shared")

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._known: Values | None = None

    def share(self) -> None:
        """Know from now on what others find out: TLS may be wanted."""
        if self._known is None:
            # Where there is no room for more that is shared, TLS is tried with each connection.
            with contextlib.suppress(SharedError):
                self._known = self._shared.define_values(NAME, MOST)

    def note(self, place: Place, reason: str, seconds: float) -> None:
        """TLS has failed with a host: leave it out for a while."""
        if seconds <= 0.0:
            return
        self.share()
        if self._known is not None:
            self._known.set(_key(place), octets(reason[:MOST_SAID]), seconds)

    def fault(self, place: Place) -> Fault | None:
        """Return why TLS is left out with a host; None: it is not."""
        found = None if self._known is None else self._known.entry(_key(place))
        if found is None or not isinstance(found.value, bytes):
            return None
        return Fault(text(found.value), found.slot / 1000)

    def forget(self) -> None:
        """Forget all of them, on the whole node."""
        if self._known is not None:
            for each in self._known.items():
                self._known.unset(each.key)


def _key(place: Place) -> bytes:
    address, port = place
    return f"[{address}]:{port}".encode()
