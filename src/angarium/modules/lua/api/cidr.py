"""msys.cidr: values by address, out of a datasource or a file of rbldnsd.

A set is built beside the loop and put in the place of the one before; so a look-up never waits for
a reload, and a source which fails leaves what was known. It is loaded when it is defined, where
that may wait, else with the first look-up; again with the first one after `refresh` seconds.
"""

import asyncio
import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from angarium.data.errors import DataError
from angarium.data.rows import Row
from angarium.data.sources import Datasources
from angarium.modules.lua import current
from angarium.modules.lua.api.files import path_of
from angarium.modules.lua.bind import LuaError, Runtime, Table, lua
from angarium.policy.cidr import Table as Blocks
from angarium.policy.cidr import rbldnsd
from angarium.policy.module import Command

REFRESH: Final = 1800.0  # seconds, where a script sets none
Value = bytes | bool


class Set:
    """A named set."""

    def __init__(self, name: str, kind: str, options: Mapping[str, object]) -> None:
        self.name = name
        self.kind = kind
        self.options = options
        self.refresh = cast(float, options["refresh"])
        self.blocks: Blocks[Value] = Blocks.of([])
        self.loaded_at: float | None = None
        self.loading: asyncio.Task[None] | None = None

    def find(self, address: str) -> object:
        """Return what is known of an address. Raises LuaError if it is none."""
        try:
            value = self.blocks.find(address.strip("[]").partition("%")[0])
        except ValueError as error:
            raise LuaError(str(error)) from error
        if value is None:
            return self.options["default_value"]
        if isinstance(value, bytes) and self.options["interpolate"]:
            return value.replace(b"$", address.encode())
        return value

    def read(self) -> "Blocks[Value]":
        """Return what the file says. Raises LuaError."""
        text = self.options["value"] == "txt"
        try:
            with path_of(str(self.options["source"])).open(
                encoding="utf-8", errors="replace"
            ) as file:
                found = rbldnsd(file, text=text)
        except OSError as error:
            raise LuaError(f"{self.options['source']}: {error.strerror}") from error
        except ValueError as error:
            raise LuaError(f"{self.options['source']}: {error}") from error
        return cast("Blocks[Value]", found)

    async def query(self, sources: Datasources) -> "Blocks[Value]":
        """Return what the datasource says. Raises LuaError."""
        try:
            rows = await sources.query(
                str(self.options["cachename"]), str(self.options["query"]), fresh=True
            )
            return await asyncio.to_thread(_blocks, rows, self.options)
        except (DataError, ValueError) as error:
            raise LuaError(f"{self.name}: {error}") from error


def _blocks(rows: Iterable[Row], options: Mapping[str, object]) -> "Blocks[Value]":
    entries: list[tuple[str, Value | None]] = []
    for row in rows:
        block = _column(row, options["cidr_column"] or 1)
        value: Value = True
        if options["value_column"] is not None:
            found = _column(row, options["value_column"])
            value = found if isinstance(found, bytes) else str(found).encode()
        entries.append((str(block), value))
    return Blocks.of(entries)


def _column(row: Row, column: object) -> object:
    try:
        return row.at(column) if isinstance(column, int) else row[str(column)]
    except (KeyError, IndexError):
        raise ValueError(f"there is no column {column!r}") from None


class Sets:
    """The sets of a worker's scripts, by name."""

    def __init__(self) -> None:
        self.known: dict[str, Set] = {}

    def of(self, name: str) -> Set:
        found = self.known.get(name)
        if found is None:
            raise LuaError(f"there is no set of addresses named '{name}'")
        return found


def sets(lua: Runtime) -> Sets:
    """Return the sets of a worker's scripts."""
    found = lua.services.parts.setdefault(Sets, Sets())
    return cast(Sets, found)


async def _load(lua: Runtime, one: Set) -> None:
    """Load a set. Raises LuaError."""
    if one.kind == "rbldnsd":
        one.blocks = await asyncio.to_thread(one.read)
    elif one.kind == "datasource":
        sources = cast(Datasources, lua.services.part(Datasources, "a datasource"))
        one.blocks = await one.query(sources)
    one.loaded_at = lua.services.clock.monotonic()


async def _refresh(lua: Runtime, one: Set) -> None:
    """Load a set again; what was known stays if that fails."""
    try:
        await _load(lua, one)
    except LuaError as error:
        one.loaded_at = lua.services.clock.monotonic()
        lua.panic(f"set of addresses '{one.name}' keeps what it had: {error.message}")


def _due(lua: Runtime, one: Set) -> None:
    """Begin to load a set again if it is time."""
    if one.loaded_at is None or not one.refresh:
        return
    if lua.services.clock.monotonic() - one.loaded_at < one.refresh:
        return
    if one.loading is None or one.loading.done():
        with contextlib.suppress(RuntimeError):  # no loop runs, as where nothing may wait
            one.loading = asyncio.get_running_loop().create_task(_refresh(lua, one))


def _made(lua: Runtime, name: str, options: Table | bytes) -> Set:
    """Make a set of what a script says of it. Raises LuaError."""
    if isinstance(options, bytes):
        kind = options.decode("utf-8", "replace")
        given: dict[str, object] = {"refresh": REFRESH, "interpolate": False, "default_value": None}
    else:
        kind = (options.text("type") or b"").decode("utf-8", "replace")
        given = _options(options)
    needed = {"empty": (), "rbldnsd": ("source",), "datasource": ("cachename", "query")}
    if kind not in needed:
        raise LuaError(f"a set of addresses is empty, rbldnsd or datasource, not '{kind}'")
    for each in needed[kind]:
        if not given.get(each):
            raise LuaError(f"a set of addresses of type {kind} needs '{each}'")
    made = sets(lua).known[name] = Set(name, kind, given)
    return made


def _options(options: Table) -> dict[str, object]:
    def text(key: str) -> str | None:
        found = options.text(key)
        return None if found is None else found.decode("utf-8", "surrogateescape")

    def column(key: str) -> str | int | None:
        found = options.get(key)
        number = isinstance(found, int | float) and not isinstance(found, bool)
        return int(cast(float, found)) if number else text(key)

    value = text("value") or "a"
    if value not in ("a", "txt"):
        raise LuaError(f"the value of a set is a or txt, not '{value}'")
    default = options.get("default_value")
    return {
        "refresh": max(options.number("refresh", REFRESH) or 0.0, 0.0),
        "interpolate": options.flag("interpolate"),
        "default_value": default,
        "source": text("source"),
        "value": value,
        "cachename": text("cachename"),
        "query": text("query"),
        "cidr_column": column("cidr_column"),
        "value_column": column("value_column"),
    }


def _define(lua: Runtime, name: str, options: Table | bytes) -> None:
    one = _made(lua, name, options)
    if one.kind == "rbldnsd":
        one.blocks = one.read()
    if one.kind != "datasource":  # It is asked with the first look-up.
        one.loaded_at = lua.services.clock.monotonic()


@lua("msys.cidr.define", since="3.1", otherwise=_define)
async def define(lua: Runtime, name: str, options: Table | bytes) -> None:
    """Define a set of address blocks and load it.

    Options: `type`, one of empty, rbldnsd and datasource; `default_value`, what an address which is
    not in it has; `interpolate`, each $ in a value is the address; `refresh`, seconds after which
    it is loaded again, 1800 if not set, 0 for never. rbldnsd: `source`, the file, and `value`, a
    for its addresses or txt for its texts. datasource: `cachename` and `query`, `cidr_column`,
    `value_column`, both by name or place; without the latter an address in it has true.
    """
    await _load(lua, _made(lua, name, options))


def _query(lua: Runtime, name: str, address: str = "") -> object:
    one = sets(lua).of(name)
    _due(lua, one)
    return one.find(address or current.peer(lua))


@lua("msys.cidr.query", since="3.1", otherwise=_query)
async def query(lua: Runtime, name: str, address: str = "") -> object:
    """Return what a set has for an address: of the narrowest block it is in.

    Without an address that of the peer is meant.
    """
    one = sets(lua).of(name)
    if one.loaded_at is None:
        if one.loading is None or one.loading.done():
            one.loading = asyncio.get_running_loop().create_task(_load(lua, one))
        await asyncio.shield(one.loading)
    return _query(lua, name, address)


@lua("msys.cidr.reload", since="3.0")
async def reload(lua: Runtime, name: str) -> bool:
    """Load a set again; an error leaves what was known."""
    await _load(lua, sets(lua).of(name))
    return True


def commands(lua: Runtime) -> Mapping[str, Command]:
    """Return the commands about sets, as the console does them."""

    async def rows(_words: Sequence[str]) -> str:
        now = lua.services.clock.monotonic()
        return json.dumps([_row(each, now) for _, each in sorted(sets(lua).known.items())])

    async def again(words: Sequence[str]) -> str:
        name = " ".join(words[1:])
        one = sets(lua).of(name)
        await _load(lua, one)
        return f"{name} has been loaded"

    return {"cidrdb rows": rows, "cidrdb reload": again}


def _row(one: Set, now: float) -> tuple[str, float, int | None]:
    """Return name, seconds between two loads, and until the next one; None: not loaded yet."""
    if one.loaded_at is None:
        return one.name, one.refresh, None
    return one.name, one.refresh, max(0, round(one.loaded_at + one.refresh - now))
