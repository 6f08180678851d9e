from types import SimpleNamespace
from typing import cast

import pytest

from angarium.config.load import load_text
from angarium.config.resolve import Configuration
from angarium.modules.lua.api.core import Dict
from angarium.modules.lua.bind import lua
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.modules.means import Means
from helpers.clock import START
from helpers.lua import services
from helpers.snippets import run, state

CONFIGURATION = """
Binding "alone" {}
Binding_Group "fast" {
  Binding "f1" {}
  Binding "f2" {}
}
"""


@lua("test.core.dict")
def dictionary() -> Dict:
    """Make one."""
    return Dict({"a": "1", "b": "2"})


class _Means:
    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration


def _with(text: str = CONFIGURATION) -> State:
    made = services()
    made.parts[Means] = cast(Means, _Means(load_text(text)))
    return state(made)


def test_the_time_is_that_of_the_worker() -> None:
    assert run("return msys.core.get_now_ts()") == int(START)


def test_a_line_of_the_log_has_its_level() -> None:
    said: list[str] = []
    run('msys.log(msys.core.LOG_WARNING, "careful")', state(services(panic=said.append)))
    assert said == ["WARNING: careful"]


def test_bindings_have_numbers_and_groups_a_size() -> None:
    source = """
        local core = msys.core
        local id = core.config_get_binding_id_from_name("f2")
        return core.config_get_binding_name_from_id(id), id >= 0,
          core.config_get_binding_id_from_name("none"), core.config_get_binding_name_from_id(99),
          core.config_get_binding_group_size("fast"), core.config_get_binding_group_size("none")
    """
    assert run(source, _with()) == [b"f2", True, -1, None, 2, 0]


def test_an_address_has_a_family() -> None:
    source = """
        local core = msys.core
        return core.ec_sockaddr_family("192.0.2.1:25") == core.AF_INET,
          core.ec_sockaddr_family("2001:db8::1.25") == core.AF_INET6
    """
    assert run(source) == [True, True]


def test_a_domain_has_a_record() -> None:
    source = """
        local dr = msys.core.dns_get_domain("Example.COM.")
        return dr.domain, tostring(dr), msys.type(dr), msys.core.dns_get_domain("a..b")
    """
    assert run(source) == [b"example.com", b"example.com", b"domain_record", None]


def test_a_dictionary_is_gone_through() -> None:
    source = """
        local dict, found = test.core.dict(), {}
        local iter = msys.core.dict_iter2(dict)
        repeat
          local rc, k, v = msys.core.dict_next(dict, iter)
          if rc ~= 0 then found[#found + 1] = k .. v end
        until rc == 0
        msys.core.dict_iter2_free(dict, iter)
        return found, dict.b, dict.c
    """
    assert run(source) == [[b"a1", b"b2"], b"2", None]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("nil", b"nil"),
        ("true", b"boolean"),
        ("1", b"number"),
        ("'x'", b"string"),
        ("{}", b"table"),
        ("print", b"function"),
        ("json.new()", b"json_object"),
    ],
)
def test_types_have_names(value: str, name: bytes) -> None:
    assert run(f"return msys.type({value})") == name


def test_a_cast_is_to_what_it_is() -> None:
    assert run("local o = json.new(); return msys.cast(o, 'json_object') == o") is True
    with pytest.raises(ScriptError, match="a json_object is no http_client"):
        run("return msys.cast(json.new(), 'http_client')")
    with pytest.raises(ScriptError, match="no class 'what'"):
        run("return msys.cast(json.new(), 'what')")


def test_a_class_has_a_metatable() -> None:
    assert run('return type(msys.getClassMetaTable("msys.core:_json_object"))') == b"table"


def test_the_mail_of_a_domain_is_put_off() -> None:
    told: list[tuple[str, str]] = []
    made = services()
    put_off = SimpleNamespace(put_off=lambda domain, reply: told.append((domain, str(reply))))
    made.parts[Means] = cast(Means, put_off)
    lua = state(made)
    source = """
        local dr = msys.core.dns_get_domain("Example.com")
        return msys.core.mail_queue_delay_domain(dr, "451 4.4.1 [internal] delayed")
    """
    assert run(source, lua) is None
    assert told == [("example.com", "451 4.4.1 [internal] delayed")]
    with pytest.raises(ScriptError, match="begins with 4"):
        run(source.replace("451 4.4.1", "550 5.4.1"), lua)
