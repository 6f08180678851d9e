"""What functions which sign have in common."""

from types import SimpleNamespace

import pytest

from angarium.modules.lua.api.signing import meant, order_of, orders
from angarium.modules.lua.errors import LuaError
from angarium.modules.lua.runtime import State
from angarium.modules.sign.orders import Order
from helpers.objects import mail, with_means
from helpers.snippets import state


def ordered(text: str, lua: State | None = None) -> Order:
    """Return the order in a table, as it is written in Lua."""
    lua = lua or state()
    [table] = lua.run_now(lua.load(f"return {text}".encode(), "test"))
    found = lua.from_lua(table)
    return order_of(found)  # type: ignore[arg-type]


def test_options_are_an_order() -> None:
    text = """{ signing_domain = "a.example", selector = "s", keyfile = "/k",
      header_canon = "RELAXED", body_length_limit = 0, headerlist = { "From", "To" },
      oversign_headerlist = "From:To", authservid = "mx", lifetime = 5 }"""
    assert ordered(text) == Order(
        domain="a.example", selector="s", keyfile="/k", header_canon="relaxed", headers="From:To",
        oversigned="From:To", authserv_id="mx", body_length=False,
    )  # fmt: skip
    assert ordered("{ base_domain = 'b.example', body_length_limit = true }") == Order(
        domain="b.example", body_length=True
    )
    assert ordered("{}") == order_of(None) == Order()
    with pytest.raises(LuaError):
        ordered("{ selector = {} }")


def test_a_key_in_an_order_is_not_shown() -> None:
    assert "secret" not in repr(Order(keybuf="secret"))


def test_who_takes_orders_is_one_for_all_scripts() -> None:
    lua = with_means(SimpleNamespace(loop=None, clock=None, tell=None))
    assert orders(lua) is orders(lua)


def test_without_a_message_there_is_none() -> None:
    one = mail()
    assert meant(state(), one) is one
    with pytest.raises(LuaError, match="there is no message"):
        meant(state(), None)
