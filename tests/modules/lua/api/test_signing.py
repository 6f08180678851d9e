"""What functions which sign have in common."""

from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from angarium.config.load import load_text
from angarium.data.source import Settings
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from angarium.mail.auth.arc import verify
from angarium.mail.auth.asking import at_once
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.signature import Outcome
from angarium.modules.lua.api.signing import meant, order_of, orders
from angarium.modules.lua.errors import LuaError
from angarium.modules.lua.lint import remarks
from angarium.modules.lua.runtime import State
from angarium.modules.means import Means
from angarium.modules.sign.orders import Order
from angarium.net.loop import RealClock
from angarium.policy import hooks
from angarium.run.programs.dkim_table import ec_dkim_ctl
from helpers.departing import KEYS, Signing, ask
from helpers.guards import Place
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
    means = SimpleNamespace(loop=None, clock=None, tell=None, configuration=load_text(""))
    lua = with_means(means)
    assert orders(lua) is orders(lua)


def test_without_a_message_there_is_none() -> None:
    one = mail()
    assert meant(state(), one) is one
    with pytest.raises(LuaError, match="there is no message"):
        meant(state(), None)


def guide() -> str:
    """Return the script of the guide."""
    text = Path("docs/guide/lua-library.md").read_text("utf-8")
    section = text.partition("## Signatures\n")[2].partition("| function")[0]
    return "\n".join(line.removeprefix("    ") for line in section.splitlines())


async def test_the_script_of_the_guide_signs_by_the_tables_of_ec_dkim_ctl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Signing(
        tmp_path, f'scriptlet "scriptlet" {{ script "g" {{ source = "{tmp_path}/g" }} }}'
    )
    server.keep("example.com/s1.key", KEYS["s1"])
    table = tmp_path / "dkim_db"
    entry = f"example.com,s1,{tmp_path}/%{{d}}/%{{s}}.key"
    given = ["--database", str(table), "--add-dkim", entry]
    assert CliRunner().invoke(ec_dkim_ctl, given).exit_code == 0
    source = guide().replace("/etc/angarium/keys", str(tmp_path)).replace("s2026", "s1")
    script = f'require("msys.core")\nlocal mod = {{}}\n{source}\nmsys.registerModule("g", mod)\n'
    assert [each.text for each in remarks(script.encode()) if each.wrong] == []
    (tmp_path / "g").write_text(script)
    sources = Datasources(RealClock(), Random(1), Metrics())
    sources.configure([Settings("keys", (f"sqlite:{table}",), no_cache=True)])
    kept = Place.means

    def means(place: Place) -> Means:
        place.datasources = sources
        return kept(place)

    monkeypatch.setattr(Place, "means", means)
    [mail] = await server.send()
    await server.way.ask(hooks.PostFinalValidation, mail, server.way.session)
    await sources.close()
    assert not server.told
    assert len(server.tags(mail)) == 1
    header, pieces = opened([mail.draft.whole()])
    assert at_once(verify(Fields(header), pieces, ask())).outcome is Outcome.PASS
