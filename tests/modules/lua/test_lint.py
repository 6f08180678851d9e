"""What is said about a script without running it."""

import pytest

from angarium.modules.lua.lint import is_module, module_name, registered_names, remarks, required
from angarium.modules.lua.unknown import Defined

HEAD = 'require("msys.core") local mod = {} '
TAIL = ' msys.registerModule("x", mod)'


def said(text: str) -> list[tuple[int, bool, str]]:
    # Globals have tests of their own, in test_unknown.
    others = Defined(surely={"a", "b", "f", "other", "self", "t"})
    return [(each.line, each.wrong, each.text) for each in remarks(text.encode(), others)]


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ('\nmsys.pcre.mtach("a", "b")', "there is no function msys.pcre.mtach"),
        (
            'local core = require("msys.core")\ncore.get_now()',
            "there is no function msys.core.get_now",
        ),
        ("local p = msys.pcre\np.mtach(1)", "there is no function msys.pcre.mtach"),
        ("local json = require 'json'\njson.decod '{}'", "there is no function json.decod"),
        ("\nlocal x = xml.prase{}", "there is no function xml.prase"),
        (
            HEAD + "function mod:validate_data(msg, ac, vctx)\n msg:heder('X') end" + TAIL,
            "there is no method msg:heder of ec_message",
        ),
        (
            HEAD + "mod.validate_connect = function(self, a, v)\n v:set_cod(1) end" + TAIL,
            "there is no method v:set_cod of validate_context",
        ),
        (
            HEAD + "function mod.validate_data(self, m, a, v)\n m:heder('X') end" + TAIL,
            "there is no method m:heder of ec_message",
        ),
        (
            HEAD + "function mod:validate_data(msg)\n return msg.heders end" + TAIL,
            "ec_message has no msg.heders",
        ),
        (HEAD + "\nfunction mod:validate_rcpt(m) end" + TAIL, "there is no hook validate_rcpt"),
    ],
)
def test_a_name_nobody_knows_is_wrong(text: str, remark: str) -> None:
    assert said(text) == [(2, True, remark)]


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("\nmsys.validate.dkim2.sign()", "msys.validate.dkim2.sign needs the module dkim2"),
        (
            HEAD + "\nfunction mod:smpp_submit_response() end" + TAIL,
            "smpp_submit_response is never called, it needs SMPP",
        ),
        (
            HEAD + "\nfunction mod:smpp_log_status() end" + TAIL,
            "smpp_log_status is never called, it needs SMPP",
        ),
    ],
)
def test_what_is_not_there_in_this_server_is_a_note(text: str, remark: str) -> None:
    assert said(text) == [(2, False, remark)]


@pytest.mark.parametrize(
    "text",
    [
        "local json = {} json.anything()",
        "local function f(msys) msys.anything() end",
        "for xml in pairs(t) do xml.anything() end",
        "function msys.mine(x) end msys.mine(1)",
        "msys.mine = {} msys.mine.anything()",
        'require("msys.customer") msys.customer.anything()',
        "local p = msys.pcre p = other() p.anything()",
        "self.json.anything() other.msys.pcre.anything()",
        "-- msys.anything()\nlocal s = 'msys.anything()' local l = [[ json.anything() ]]",
        "print(msys.core.VALIDATE_CONT)",
        HEAD + "function mod:validate_data(msg) local msg = other() msg:heder() end" + TAIL,
        HEAD + "function mod:validate_data(msg) f(function(msg) msg:heder() end) end" + TAIL,
        HEAD + "function mod:validate_data(msg) end function g(msg) msg:heder() end" + TAIL,
        HEAD
        + "function mod:validate_data(msg) if a then while b do end end self:core_x() end"
        + TAIL,
        HEAD + "function mod:helper() end function other:validate_rcpt() end" + TAIL,
        HEAD + "function mod:init() return true end function mod:validate_data() end" + TAIL,
        "this is [[ no Lua",
        "",
    ],
)
def test_what_may_be_the_scripts_own_is_not_judged(text: str) -> None:
    assert said(text) == []


def test_a_body_ends_where_its_function_does() -> None:
    inner = "for i = 1, 2 do if a then f(function() end) end end repeat until true"
    text = HEAD + f"function mod:validate_data(msg) {inner} msg:heder() end" + TAIL
    assert said(text) == [(1, True, "there is no method msg:heder of ec_message")]


def test_lines_are_counted_with_the_mark_of_a_program() -> None:
    assert said("#!/usr/bin/lua\nmsys.anything()") == [
        (2, True, "there is no function msys.anything")
    ]


def test_a_script_has_the_names_it_registers_itself_by() -> None:
    text = "msys.registerModule('a', mod) msys.registerModule(name, m) msys.registerModule('b', {})"
    assert registered_names(text.encode()) == ["a", "b"]


def test_what_a_script_requires_is_known_where_it_is_no_package_of_ours() -> None:
    text = b'require("msys.core") require "a.b" local c = require("c")'
    assert required(text) == ["a.b", "c"]


def test_a_file_for_others_to_require_is_known() -> None:
    assert module_name(b'-- x\nmodule("a.b", package.seeall)') == "a.b"
    assert module_name(b'module "a"') == "a"
    assert is_module(b"local M = {} return M;")
    assert not is_module(b"local M = {}")
    assert not is_module(b"")
