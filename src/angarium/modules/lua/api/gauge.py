"""msys.gauge_cache: numbers by key which rise and fall, and are forgotten when nothing happens."""

from angarium.core.errors import Error
from angarium.modules.lua.api.shared import shared, told
from angarium.modules.lua.bind import Runtime, lua
from angarium.policy.shared.gauges import GaugeCache
from angarium.policy.shared.told import Number


def _cache(lua: Runtime, name: str) -> GaugeCache:
    try:
        return shared(lua).gauge(name)
    except Error as error:
        raise told(error) from error


@lua("msys.gauge_cache.define", since="3.1")
def define(
    lua: Runtime, name: str, maxelems: int, ttl: int, replicated: bool | float = False
) -> None:
    """Define a cache of so many entries, which live `ttl` seconds after their last change.

    Is it full, the entry goes whose last change is the longest ago. It is one for all workers of
    the node, whether `replicated` or not.
    """
    try:
        shared(lua).define_gauge(name, maxelems, ttl)
    except Error as error:
        raise told(error) from error


@lua("msys.gauge_cache.inc", since="3.1")
def increment(lua: Runtime, cachename: str, key: bytes) -> None:
    """Add one to an entry, which is made where there is none."""
    _cache(lua, cachename).add(key, 1)


@lua("msys.gauge_cache.dec", since="3.1")
def decrement(lua: Runtime, cachename: str, key: bytes) -> None:
    """Take one from an entry, which is made where there is none."""
    _cache(lua, cachename).add(key, -1)


@lua("msys.gauge_cache.get", since="3.1")
def get(lua: Runtime, cachename: str, key: bytes) -> Number:
    """Return an entry; 0 where there is none."""
    return _cache(lua, cachename).get(key)


@lua("msys.gauge_cache.remove_item", since="3.1")
def remove_item(lua: Runtime, cachename: str, key: bytes) -> None:
    """Forget an entry."""
    _cache(lua, cachename).remove(key)
