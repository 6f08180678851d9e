"""msys.snmpTrap: tells receivers of SNMP traps something, by version 2c.

The worker sends the datagram itself; it is not waited for. Destinations of the configuration which
are known by a user of version 3 are left out: what a script says would go to them unprotected.
"""

import socket
from typing import Final

from angarium.config.places import HostPort
from angarium.modules.lua.api.core import means
from angarium.modules.lua.bind import LuaError, Runtime, Table, lua
from angarium.modules.monitor.options.snmp import TrapDestination, TrapDestinationByTable
from angarium.wire import trap

PORT: Final = 162
COMMUNITY: Final = b"public"
TRAP: Final = "1.3.6.1.4.1.19552.1.4.7"
VARIABLE: Final = "1.3.6.1.4.1.19552.1.4.1.0"


@lua("msys.snmpTrap")
def snmp_trap(lua: Runtime, traptable: Table) -> int:
    """Send a trap; return to how many receivers.

    Fields: `type`, one of string, counter, gauge and ip; `payload`; `address` and `port`, else all
    destinations of snmp_traps which know us by a community; `community`; `mib`, the identifier of
    the trap; `trapvar.mib`, that of its variable.
    """
    address = traptable.text("address")
    places = _destinations(lua) if address is None else [_place(address, traptable)]
    sent = 0
    for host, port, community in places:
        sent += _send(lua, host, port, _datagram(lua, traptable, community))
    return sent


def _datagram(lua: Runtime, table: Table, community: bytes) -> bytes:
    kind = (table.text("type") or b"string").decode("latin-1").lower()
    variable = table.text("trapvar.mib") or table.text("trapvarmib") or VARIABLE.encode()
    now = lua.services.clock.monotonic()
    try:
        return trap.trap(
            community,
            trap.oid((table.text("mib") or TRAP.encode()).decode("latin-1")),
            trap.oid(variable.decode("latin-1")),
            kind,
            _payload(table, kind),
            ticks=int(now * 100),
            request=int(now * 1000),
        )
    except ValueError as error:
        raise LuaError(str(error)) from error


def _payload(table: Table, kind: str) -> bytes | int:
    if kind in ("counter", "gauge"):
        return int(table.number("payload") or 0)
    return table.text("payload") or b""


def _place(address: bytes, table: Table) -> tuple[str, int, bytes]:
    host = address.decode("latin-1")
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except (OSError, ValueError):
        raise LuaError(f"'{host}' is no IP address") from None
    port = int(table.number("port", PORT) or PORT)
    if not 0 < port < 65536:
        raise LuaError(f"{port} is no port")
    return host, port, table.text("community") or COMMUNITY


def _destinations(lua: Runtime) -> list[tuple[str, int, bytes]]:
    configuration = means(lua).configuration
    found = []
    for section in configuration.root.all("snmp_traps").values():
        for kind in (TrapDestination, TrapDestinationByTable):
            for name, inner in section.all(kind.stanza).items():
                one = configuration.of(kind, inner)
                if one.user:
                    continue
                place = HostPort().parse(name)
                found.append((place.host, place.port or PORT, one.community.encode()))
    return found


def _send(lua: Runtime, host: str, port: int, datagram: bytes) -> bool:
    """Send it; a network which is not there is told, and costs the script nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as made:
            made.sendto(datagram, (host, port))
    except OSError as error:
        lua.panic(f"no trap can be sent to {host}: {error}")
        return False
    return True
