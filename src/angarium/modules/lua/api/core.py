"""msys.core and msys: the time, what the server is made of, and types of values."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, cast

from angarium.core.address import routing_domain
from angarium.modules.lua.api.constants import LEVELS
from angarium.modules.lua.api.kinds import reply
from angarium.modules.lua.bind import (
    LuaError,
    Runtime,
    Several,
    lua,
    lua_field,
    lua_object,
)
from angarium.modules.lua.declare import OBJECTS, kind_of
from angarium.modules.means import Means

AF_INET, AF_INET6 = 2, 10
# A class by its names in the manual: msys.core:_ec_message.
_CLASS: Final = re.compile(r"(?:[\w.]+:)?_?(\w+)")


def means(lua: Runtime) -> Means:
    """Return what there is in the worker."""
    return cast(Means, lua.services.part(Means, "the mail server"))


@lua("msys.core.get_now_ts", since="3.1")
def get_now_ts(lua: Runtime) -> int:
    """Return the time, in whole seconds since 1970."""
    return int(lua.services.clock.time())


@lua("msys.log")
def log(lua: Runtime, level: int, text: bytes) -> None:
    """Write a line to paniclog, with its level, one of msys.core.LOG_..."""
    name = LEVELS[level] if 0 <= level < len(LEVELS) else str(level)
    lua.panic(f"{name}: {text.decode('utf-8', 'replace')}")


# -- bindings ---------------------------------------------------------------------------------


def _bindings(lua: Runtime) -> list[str]:
    return list(dict.fromkeys(name for _, name in means(lua).configuration.bindings()))


@lua("msys.core.config_get_binding_id_from_name")
def binding_id(lua: Runtime, name: str) -> int:
    """Return the number of a binding, -1 if there is none of that name."""
    names = _bindings(lua)
    return names.index(name) if name in names else -1


@lua("msys.core.config_get_binding_name_from_id")
def binding_name(lua: Runtime, number: int) -> str | None:
    """Return the name of a binding, nil if there is none with that number."""
    names = _bindings(lua)
    return names[number] if 0 <= number < len(names) else None


@lua("msys.core.config_get_binding_group_size")
def binding_group_size(lua: Runtime, name: str) -> int:
    """Return how many bindings a group has, 0 if there is no such group."""
    return sum(group == name for group, _ in means(lua).configuration.bindings())


# -- addresses --------------------------------------------------------------------------------


@lua("msys.core.ec_sockaddr_family", pure=True)
def sockaddr_family(sockaddr: bytes) -> int:
    """Return msys.core.AF_INET or AF_INET6 for an address, such as ac.remote_addr."""
    return AF_INET6 if sockaddr.count(b":") > 1 else AF_INET


# -- domains ----------------------------------------------------------------------------------


@lua_object("domain_record", "domain_record")
class DomainRecord:
    """A domain mail is queued for."""

    def __init__(self, domain: str) -> None:
        self.domain = domain


lua_field("domain_record.domain", lambda record: record.domain, doc="Its name.")
lua_field("domain_record.name", lambda record: record.domain, doc="Its name.")


@lua("domain_record:__tostring")
def domain_name(self: DomainRecord) -> str:
    """Return the name of the domain."""
    return self.domain


@lua("msys.core.dns_get_domain", since="3.1")
def dns_get_domain(domain: str) -> DomainRecord | None:
    """Return the record of a domain, nil if it is none."""
    normal = routing_domain(domain.rstrip("."))
    return None if normal is None else DomainRecord(normal)


@lua("msys.core.mail_queue_delay_domain", since="3.1")
def delay_domain(lua: Runtime, dr: DomainRecord, note: bytes) -> None:
    """Let the mail of a domain which waits for an attempt wait for its next time instead.

    `note`: what is logged for it, a reply such as "451 4.4.1 [internal] delayed". Each worker does
    it with its own mail; what an attempt has in its hands is left to it.
    """
    said = reply(0, note)
    if not 400 <= said.code < 500:
        raise LuaError(f"what delays mail begins with 4, not '{said}'")
    means(lua).put_off(dr.domain, said)


# -- dictionaries -----------------------------------------------------------------------------


@lua_object("dict", "dict")
class Dict:
    """A dictionary of strings."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values


@lua_object("dict_iter", "dict_iter")
class DictIterator:
    """How far a dictionary has been gone through."""

    def __init__(self, items: Iterator[tuple[str, str]]) -> None:
        self.items = items


@lua("dict:__index")
def dict_get(self: Dict, key: str) -> str | None:
    """Return what stands under a key."""
    return self.values.get(key)


@lua("msys.core.dict_iter2")
def dict_iter2(dictionary: Dict) -> DictIterator:
    """Begin to go through a dictionary."""
    return DictIterator(iter(list(dictionary.values.items())))


@lua("msys.core.dict_next")
def dict_next(dictionary: Dict, iterator: DictIterator) -> Several:
    """Return 1, a key and its value; 0 after the last one."""
    item = next(iterator.items, None)
    return Several(0, None, None) if item is None else Several(1, *item)


@lua("msys.core.dict_iter2_free")
def dict_iter2_free(dictionary: Dict, iterator: DictIterator) -> None:
    """Do nothing: what is not used any more is freed."""


# -- types ------------------------------------------------------------------------------------


@lua("msys.type", since="3.1")
def type_of(parameter: object = None) -> str:
    """Return the name of a type, as Lua's `type` does; of an object of ours its own name."""
    if parameter is None:
        return "nil"
    if isinstance(parameter, bool):
        return "boolean"
    if isinstance(parameter, int | float):
        return "number"
    if isinstance(parameter, bytes):
        return "string"
    kind = kind_of(type(parameter))
    if kind is not None:
        return kind.name
    return "table" if hasattr(parameter, "items") else "function"


def class_name(name: str) -> str:
    """Return the name of a class of ours by a name of the manual. Raises LuaError."""
    found = _CLASS.fullmatch(name)
    wanted = found[1] if found else name
    for kind in OBJECTS.values():
        if wanted in (kind.name, kind.tag, kind.name.removeprefix("ec_")):
            return kind.name
    raise LuaError(f"there is no class '{name}'")


@lua("msys.cast", since="3.1")
def cast_to(object_: object, classnamestring: str) -> object:
    """Return an object as one of a class; it must be one."""
    name = class_name(classnamestring)
    if type_of(object_) != name:
        raise LuaError(f"a {type_of(object_)} is no {name}")
    return object_


@lua("msys.getClassMetaTable", since="3.1")
def class_metatable(lua: Runtime, classnamestring: str) -> object:
    """Return the metatable of a class, by its name."""
    return lua.metatable(class_name(classnamestring))
