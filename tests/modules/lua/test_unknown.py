"""What is said of globals nobody sets, and of what Lua's library does not have."""

import os
from pathlib import Path

import pytest

from angarium.modules.lua.lint import remarks
from angarium.modules.lua.unknown import Defined, defined_in, library_of_lua

CORPORA = Path(os.environ.get("ANGARIUM_CORPORA", "/nowhere")) / "momentum_sample_policy"
# What is wrong with the samples indeed, by the end of the file's name.
FAULTS = {
    "add_recipient_based_on_localpart.lua": ["there is no function trim"],
    "limit_connections.lua": ["there is no function msys.audit.connection"],
    "logger.lua": ["there is no io here: files have msys.readfile and msys.core.io_wrapper_open"],
}


def said(text: str, others: Defined | None = None) -> list[tuple[int, bool, str]]:
    return [(each.line, each.wrong, each.text) for each in remarks(text.encode(), others)]


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("nosuch.thing()", "nothing sets nosuch"),
        ("nosuch()", "there is no function nosuch"),
        ("local count = 1 count = conut + 1", "nothing sets conut"),
        ("local list = {} lits[1] = 2", "nothing sets lits"),
        ("local list = {} lits.x = 2", "nothing sets lits"),
        ("string.foo('x')", "there is no string.foo"),
        ("local x = math.pi2 * 2", "there is no math.pi2"),
        ("table.unpack({})", "there is no table.unpack"),
        ("os.execute('ls')", "there is no os.execute"),
        ("debug.sethook()", "there is no debug.sethook"),
        ("io.open('x')", "there is no io here: files have msys.readfile and"),
        ("dofile('x')", "there is no dofile here: scripts have require"),
    ],
)
def test_what_can_only_fail_is_wrong(text: str, remark: str) -> None:
    (found,) = said(f"local a\n{text}")
    assert found[:2] == (2, not remark.startswith("there is no math"))
    assert found[2].startswith(remark)


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("return conut", "nothing sets conut"),
        ("if DEBUG then DEBUG.show() end", "nothing sets DEBUG"),
        ("f = string.foo", "there is no string.foo"),
        ("setfenv(1, {}) nosuch()", "there is no function nosuch"),
        ("local name = 'a' _G[name] = 1 a.b()", "nothing sets a"),
        ("helper() function later() helper = print end", "helper is set in a function only, on"),
    ],
)
def test_what_may_be_meant_is_a_note(text: str, remark: str) -> None:
    (found,) = said(text)
    assert found[:2] == (1, False)
    assert found[2].startswith(remark)


@pytest.mark.parametrize(
    "text",
    [
        "helper() function helper() end",
        "function f() return helper() end helper = print",
        "function string.split(s) end string.split('a') local s = 'a' s:split()",
        "string.split = 1 string.split()",
        "local unpack = table.unpack or unpack unpack({})",
        "if nosuch then end",
        "if nosuch == nil then return end",
        "local mod = {} function mod:init() list = {} return true end function f() list.x() end",
        "function set() list = {} end function get() return list.x end",
        "_TLS.x = 1 _OSTLS.x = 2 package.loaded.x = 1 print(_VERSION, _G.x)",
        "bit.band(1, 2) string.gfind('a', 'b') math.mod(1, 2) xpcall(print, debug.traceback)",
        "function f(...) return arg.n end",
        'module("a.b", package.seeall) a.b.c()',
        "this is no Lua nosuch()",
    ],
)
def test_what_is_set_somewhere_is_well(text: str) -> None:
    assert said(text) == []


def test_other_scripts_share_their_globals() -> None:
    others = defined_in([b"function helper() end", b"string.split = helper", b"#!lua\nx = {}"])
    text = "helper() string.split('a') x.y()"
    assert said(text, others) == []
    assert len(said(text)) == 3
    assert said("nosuch()", Defined(unclear=True)) == [(1, False, "there is no function nosuch")]


def test_the_library_is_what_scripts_have() -> None:
    known = library_of_lua()
    assert {"msys", "string", "require", "_TLS", "bit"} <= known.keys()
    assert not {"io", "jit", "dofile", "python"} & known.keys()
    assert "gmatch" in known["string"]
    assert known["os"] == {"clock", "date", "difftime", "getenv", "time"}


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the sample policies are not here")
def test_of_the_sample_policies_only_what_is_wrong_is_said() -> None:
    files = sorted(CORPORA.rglob("*.lua"))
    assert len(files) > 40
    for path in files:
        near = [each for each in files if each.parent == path.parent and len(each.parts) > 1]
        others = defined_in(each.read_bytes() for each in near if "training" in str(each))
        wrong = [each.text for each in remarks(path.read_bytes(), others) if each.wrong]
        assert wrong == FAULTS.get(path.name, []), path
