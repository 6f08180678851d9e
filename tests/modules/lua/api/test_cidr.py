import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from angarium.data.source import Settings
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from angarium.modules.lua.api.cidr import Sets
from angarium.modules.lua.api.control import commands_of
from angarium.modules.lua.errors import LuaError, ScriptError
from angarium.modules.lua.runtime import State
from angarium.net.loop import RealClock
from angarium.policy.context import Session
from angarium.policy.hooks import Connect
from helpers.clock import FakeClock
from helpers.lua import services
from helpers.snippets import run, running, state

RBL = ":127.0.0.2:listed $\n192.0.2.0/24\n192.0.2.9:127.0.0.3:nine\n2001:db8::/32 :4:six\n"


async def _loaded(lua: State, name: str) -> None:
    """Wait until a set which is being loaded is."""
    sets = lua.services.parts[Sets]
    assert isinstance(sets, Sets)
    loading = sets.known[name].loading
    if loading is not None:
        await loading


def _defined(tmp_path: Path, options: str = "") -> str:
    (tmp_path / "rbl").write_text(RBL)
    return f'msys.cidr.define("l", {{ type = "rbldnsd", source = "{tmp_path}/rbl" {options} }});'


def test_a_file_of_rbldnsd_is_asked_by_address(tmp_path: Path) -> None:
    source = (
        _defined(tmp_path)
        + """
        local q = msys.cidr.query
        return q("l", "192.0.2.1"), q("l", "192.0.2.9"), q("l", "::ffff:192.0.2.1"),
          q("l", "2001:db8::1"), q("l", "192.0.3.1")
    """
    )
    assert run(source) == [b"127.0.0.2", b"127.0.0.3", b"127.0.0.2", b"127.0.0.4", None]


def test_texts_name_the_address(tmp_path: Path) -> None:
    options = ', value = "txt", interpolate = true, default_value = "127.0.0.0"'
    source = (
        _defined(tmp_path, options)
        + """
        return msys.cidr.query("l", "192.0.2.1"), msys.cidr.query("l", "192.0.3.1")
    """
    )
    assert run(source) == [b"listed 192.0.2.1", b"127.0.0.0"]


def test_without_an_address_the_peer_is_meant(tmp_path: Path) -> None:
    lua = state()
    run(_defined(tmp_path), lua)
    lua.situation = Connect(Session(peer=("192.0.2.9", 1)))
    assert run('return msys.cidr.query("l")', lua) == b"127.0.0.3"
    lua.situation = None
    with pytest.raises(ScriptError, match="nobody is connected"):
        run('return msys.cidr.query("l")', lua)


def test_a_file_is_read_where_nothing_may_wait(tmp_path: Path) -> None:
    lua = state()
    source = _defined(tmp_path) + 'return msys.cidr.query("l", "192.0.2.9")'
    assert lua.run_now(lua.load(source.encode(), "t")) == (b"127.0.0.3",)


async def test_a_file_is_read_again_after_its_time_and_meanwhile_the_old_one_holds(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    said: list[str] = []
    lua = state(services(clock=clock, panic=said.append))
    await running(_defined(tmp_path, ", refresh = 60"), lua)
    (tmp_path / "rbl").write_text("198.51.100.1\n")
    ask = 'return msys.cidr.query("l", "198.51.100.1")'
    assert await running(ask, lua) is None
    clock.advance(61.0)
    assert await running(ask, lua) is None
    await _loaded(lua, "l")
    assert await running(ask, lua) == b"127.0.0.2"
    (tmp_path / "rbl").write_text("nonsense\n")
    clock.advance(61.0)
    await running(ask, lua)
    await _loaded(lua, "l")
    assert await running(ask, lua) == b"127.0.0.2"
    assert said == [f"set of addresses 'l' keeps what it had: {tmp_path}/rbl: line 1:"
                    " 'nonsense.0.0.0' is no IP address"]  # fmt: skip


async def test_a_set_is_loaded_again_when_told_to(tmp_path: Path) -> None:
    lua = state()
    await running(_defined(tmp_path, ", refresh = 0"), lua)
    (tmp_path / "rbl").write_text("198.51.100.1\n")
    source = 'return msys.cidr.reload("l"), msys.cidr.query("l", "198.51.100.1")'
    assert await running(source, lua) == [True, b"127.0.0.2"]


@pytest.fixture
async def with_rows(tmp_path: Path) -> AsyncIterator[State]:
    with sqlite3.connect(tmp_path / "db") as made:
        made.execute("CREATE TABLE blocks (cidr TEXT, result TEXT)")
        made.executemany(
            "INSERT INTO blocks VALUES (?, ?)", [("10.0.0.0/8", "ten"), ("2001:db8::/32", "six")]
        )
    made.close()
    sources = Datasources(RealClock(), Random(1), Metrics())
    sources.configure([Settings("db", (f"sqlite:{tmp_path / 'db'}",), max_rows=-1)])
    found = services()
    found.parts[Datasources] = sources
    yield state(found)
    await sources.close()


@pytest.mark.parametrize(
    ("columns", "value"),
    [
        ("", True),
        (', value_column = "result"', b"ten"),
        (', cidr_column = "cidr", value_column = 2', b"ten"),
    ],
)
async def test_a_datasource_fills_a_set(with_rows: State, columns: str, value: object) -> None:
    source = f"""
        msys.cidr.define("d", {{ type = "datasource", cachename = "db",
          query = "SELECT cidr, result FROM blocks" {columns} }})
        return msys.cidr.query("d", "10.1.1.1"), msys.cidr.query("d", "11.1.1.1")
    """
    assert await running(source, with_rows) == [value, None]


async def test_a_datasource_is_asked_with_the_first_look_up_if_nothing_could_wait(
    with_rows: State,
) -> None:
    define = b"""
        msys.cidr.define("d", { type = "datasource", cachename = "db",
          query = "SELECT cidr, result FROM blocks" })
    """
    with_rows.run_now(with_rows.load(define, "t"))
    ask = 'return msys.cidr.query("d", "10.1.1.1")'
    assert with_rows.run_now(with_rows.load(ask.encode(), "t")) == (None,)
    assert await running(ask, with_rows) is True


def test_an_empty_set_has_its_default() -> None:
    source = """
        msys.cidr.define("e", "empty")
        msys.cidr.define("f", { type = "empty", default_value = "no" })
        return msys.cidr.query("e", "10.0.0.1"), msys.cidr.query("f", "10.0.0.1")
    """
    assert run(source) == [None, b"no"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('define("a", "rbldnsd")', "needs 'source'"),
        ('define("a", { type = "datasource", cachename = "x" })', "needs 'query'"),
        ('define("a", "what")', "not 'what'"),
        ('define("a", { type = "rbldnsd", source = "/nowhere" })', "/nowhere: No such file"),
        ('define("a", { type = "empty", value = "aaaa" })', "a or txt"),
        ('query("none", "10.0.0.1")', "no set of addresses named 'none'"),
        ('reload("none")', "no set of addresses named 'none'"),
        ('query((function() msys.cidr.define("a", "empty"); return "a" end)(), "what")',
         "is no IP address"),
        ('define("a", { type = "datasource", cachename = "x", query = "y" })',
         "a datasource is not available"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_an_error(call: str, said: str) -> None:
    with pytest.raises(ScriptError, match=said):
        run(f"return msys.cidr.{call}")


async def test_the_console_lists_sets_and_loads_them_again(tmp_path: Path) -> None:
    clock = FakeClock()
    lua = state(services(clock=clock))
    await running(_defined(tmp_path, ", refresh = 60"), lua)
    await running('msys.cidr.define("e", { type = "empty", refresh = 0 })', lua)
    clock.advance(10.0)
    commands = commands_of(lua)
    rows = json.loads(await commands["cidrdb rows"](["cidrdb rows"]))
    assert rows == [["e", 0.0, 0], ["l", 60.0, 50]]
    (tmp_path / "rbl").write_text("198.51.100.1\n")
    assert await commands["cidrdb reload"](["cidrdb reload", "l"]) == "l has been loaded"
    assert await running('return msys.cidr.query("l", "198.51.100.1")', lua) == b"127.0.0.2"
    with pytest.raises(LuaError, match="no set of addresses"):
        await commands["cidrdb reload"](["cidrdb reload", "none"])
