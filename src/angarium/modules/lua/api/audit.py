"""msys.audit_series and msys.audit: how often something happened, by address or key, over time."""

from typing import Final

from angarium.core.errors import Error
from angarium.modules.lua.api.shared import address, shared, told
from angarium.modules.lua.bind import LuaError, Runtime, Table, lua
from angarium.policy.context import Session
from angarium.policy.shared.blocks import packed
from angarium.policy.shared.monitors import CONNECTIONS, RECEPTIONS, REJECTIONS, monitored
from angarium.policy.shared.node import Shared
from angarium.policy.shared.presence import SMTP
from angarium.policy.shared.series import CIDR, CIDR_IPV6, STRING, Series
from angarium.policy.shared.told import Number

TYPES: Final = (CIDR, CIDR_IPV6, STRING)
REPLICATE: Final = ("none", "cluster", "manager")
SERVICES: Final = {SMTP: SMTP, "inbound_cidr": SMTP}  # what is counted under which name
_NUMBERS: Final = frozenset({int, float})
UNCOUNTED: Final = ("ECStream", "Control", "ECmmove2", "ECCluster")


def _series(lua: Runtime, name: bytes) -> Series:
    try:
        found = lua.services.parts.get(Shared)
        return (found if isinstance(found, Shared) else shared(lua)).series_named(name)
    except Error as error:
        raise told(error) from error


def _key(lua: Runtime, series: Series, key: object) -> tuple[bytes, int]:
    """Return what is counted under, and how many bits of it; "" for another family's address."""
    if key.__class__ in _NUMBERS:  # Lua takes a number for a string.
        key = str(key).encode()
    if series.kind == STRING:
        if not isinstance(key, bytes):
            raise LuaError(f"series '{series.name}' counts strings, and no key is given")
        return key, -1
    found, bits = address(lua, key)
    return (found, bits) if series.fits(found) else (b"", -1)


@lua("msys.audit_series.define", since="3.1")
def define(
    lua: Runtime,
    name: str,
    type: str,
    interval: int,
    num_windows: int,
    options: Table | None = None,
) -> None:
    """Define a series: `num_windows` windows of `interval` seconds, in the `init` of a module.

    `type` is cidr, for IPv4 addresses, cidr_ipv6, or string. Options: `persist`, it survives a
    restart in a file, and `serialize`, each window is written to a file when it is over; both are
    done by the module inbound_audit. `replicate` is understood; a node counts for itself.
    """
    if type not in TYPES:
        raise LuaError(f"a series is of type cidr, cidr_ipv6 or string, not '{type}'")
    replicate = (options.text("replicate") if options else None) or b"none"
    if replicate.decode("utf-8", "replace") not in REPLICATE:
        raise LuaError("replicate is none, cluster or manager")
    try:
        series = shared(lua).define_series(name, type, interval, num_windows)
    except Error as error:
        raise told(error) from error
    if options is not None:
        series.persist, series.serialize = options.flag("persist"), options.flag("serialize")


@lua("msys.audit_series.add", since="3.1", fields=("key", "count"))
def add(lua: Runtime, name: bytes, key: object = None, count: float = 1) -> None:
    """Add to a key in the window of now: `count`, 1 if not set, to `key`.

    Of a series of addresses the key is an address or an accept construct, and that of the peer if
    it is left out; one of the other family is not counted. What is no table is the key.
    """
    series = _series(lua, name)
    found, _ = _key(lua, series, key)
    if found or series.kind == STRING:
        series.add(found, count)


@lua("msys.audit_series.count", since="3.1", fields=("key", "startv", "endv"))
def count(
    lua: Runtime, name: bytes, key: object = None, startv: float = 0, endv: float = 0
) -> Number:
    """Return the sum of a key over the windows `startv` to `endv`, both 0, that of now, if not set.

    Of a series of addresses the key may be a block: "192.0.2.0/24", or "/24" for that of the peer.
    """
    series = _series(lua, name)
    if key.__class__ is Session and key.address and series.kind != STRING:
        # As `_key`, of what scripts count most: who is connected.
        try:
            found, bits = packed(key.address), -1
        except Error as error:
            raise told(error) from error
        if len(found) not in series.widths:
            return 0
    else:
        found, bits = _key(lua, series, key)
        if not found and series.kind != STRING:
            return 0
    return series.count(found, int(startv), int(endv), bits)


@lua("msys.audit_series.remove_item", since="3.1", fields=("key",))
def remove_item(lua: Runtime, name: bytes, key: object = None) -> None:
    """Forget a key in all windows; what a key is stands with msys.audit_series.add."""
    series = _series(lua, name)
    found, _ = _key(lua, series, key)
    if found or series.kind == STRING:
        series.remove(found)


def _monitor(
    lua: Runtime, kind: str, monitor: str, cidr: object, startv: float, endv: float
) -> Number:
    try:
        series = monitored(shared(lua), kind, monitor)
    except Error as error:
        raise told(error) from error
    if cidr.__class__ in _NUMBERS:
        cidr = str(cidr).encode()
    key, bits = address(lua, cidr)
    return series.count(key, int(startv), int(endv), bits)


@lua("msys.audit.connections", since="3.1", fields=("cidr", "startv", "endv"))
def connections(
    lua: Runtime, monitor: str, cidr: object = None, startv: float = 0, endv: float = 0
) -> Number:
    """Return how many connections there were from a block, by a monitor of inbound_audit.

    `monitor` is as inbound_audit has it: "300,6". Options: `cidr`, the peer if not set, and the
    windows `startv` to `endv`, both 0, that of now, if not set. What is no table is the `cidr`.
    """
    return _monitor(lua, CONNECTIONS, monitor, cidr, startv, endv)


@lua("msys.audit.receptions", since="3.1", fields=("cidr", "startv", "endv"))
def receptions(
    lua: Runtime, monitor: str, cidr: object = None, startv: float = 0, endv: float = 0
) -> Number:
    """Return how many messages were received; arguments as for msys.audit.connections."""
    return _monitor(lua, RECEPTIONS, monitor, cidr, startv, endv)


@lua("msys.audit.rejections", since="3.1", fields=("cidr", "startv", "endv"))
def rejections(
    lua: Runtime, monitor: str, cidr: object = None, startv: float = 0, endv: float = 0
) -> Number:
    """Return how many refusals there were; arguments as for msys.audit.connections."""
    return _monitor(lua, REJECTIONS, monitor, cidr, startv, endv)


def sessions(lua: Runtime, cidr: object, service: str) -> Number:
    """Return how many sessions of a service are open from a block. Raises LuaError."""
    if service in UNCOUNTED:
        raise LuaError(f"sessions of {service} are not counted, those of SMTP are")
    if service not in SERVICES:
        known = ", ".join((*SERVICES, *UNCOUNTED))
        raise LuaError(f"there is no service '{service}'; there are {known}")
    key, bits = address(lua, cidr)
    return shared(lua).define_presence(SERVICES[service]).count(key, bits)


@lua("msys.audit.inbound_session_count", since="3.1")
def inbound_session_count(lua: Runtime, cidr: bytes, servicename: str) -> Number:
    """Return how many sessions are open on the node from a block: "addr", "addr/24", "/24".

    Sessions of SMTP are counted; inbound_cidr means the same on a node without a cluster.
    """
    return sessions(lua, cidr, servicename)
