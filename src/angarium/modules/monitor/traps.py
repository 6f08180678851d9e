"""Traps on their way: to each destination, by version 2c or, where it names a user, 3.

A trap is a datagram which nobody answers, so there is nothing to try again; a name that cannot be
resolved, or a network that is not there, costs this trap and is told once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    Udp6TransportTarget,
    UdpTransportTarget,
    UsmUserData,
    send_notification,
)
from pysnmp.proto.api import v2c

from angarium.config.kinds import Place
from angarium.modules.monitor import snmp
from angarium.modules.monitor.conditions import Trap
from angarium.modules.monitor.mib import ticks

PORT: Final = 162
_SYS_UPTIME: Final = (1, 3, 6, 1, 2, 1, 1, 3, 0)
_TRAP_OID: Final = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)


@dataclass(frozen=True, slots=True)
class Destination:
    """Who gets traps; `user` is a user of version 3 and its name, None for version 2c."""

    place: Place
    community: str
    user: tuple[str, snmp.AnyUser] | None = None


def _credentials(destination: Destination) -> Any:
    if destination.user is None:
        return CommunityData(destination.community, mpModel=1)
    name, user = destination.user
    return UsmUserData(name, **snmp.keys_of(user))


class Traps:
    """Sends traps.

    Args:
        complain: tells the operator of a destination which cannot be sent to.
    """

    def __init__(
        self, destinations: Sequence[Destination], engine: Any, complain: Callable[[str], None]
    ) -> None:
        self._engine = engine
        self._complain = complain
        self._failing: set[Place] = set()
        self._ways = [(each.place, _credentials(each)) for each in destinations]

    async def send(self, trap: Trap, uptime: float) -> None:
        """Send it to all; `uptime` is that of the server, in seconds."""
        binds = [
            (v2c.ObjectIdentifier(_SYS_UPTIME), snmp.encoded(ticks(uptime))),
            (v2c.ObjectIdentifier(_TRAP_OID), v2c.ObjectIdentifier(trap.oid)),
            *((v2c.ObjectIdentifier(oid), snmp.encoded(each)) for oid, each in trap.objects),
        ]
        for place, credentials in self._ways:
            try:
                target = await _target(place)
                await send_notification(
                    self._engine, credentials, target, ContextData(), "trap", *binds,
                    lookupMib=False,
                )  # fmt: skip
            except (OSError, UnicodeError, PySnmpError) as error:
                if place not in self._failing:
                    self._failing.add(place)
                    self._complain(f"no trap can be sent to {place}: {error}")
            else:
                self._failing.discard(place)

    def close(self) -> None:
        self._engine.close_dispatcher()


async def _target(place: Place) -> Any:
    kind = Udp6TransportTarget if ":" in place.host else UdpTransportTarget
    return await kind.create((place.host, place.port or PORT))
