"""The commands which show contexts of TLS and read certificates again."""

import ssl
from pathlib import Path
from types import SimpleNamespace

from angarium.config.load import load_text
from angarium.inbound.profile import Profiles
from angarium.net.tls.clients import Recipe
from helpers.certificates import authority, server
from helpers.consoles import FakeServer, Talk

LISTEN = "127.0.0.1:25"
RECIPE = Recipe(authorities="/ca.pem", ciphers="HIGH")


def profiles(folder: Path) -> Profiles:
    certificate, key = server().write(folder, "own")
    text = f"""
    esmtp_listener {{ listen "{LISTEN}" {{
      tls_certificate = "{certificate}"
      tls_key = "{key}"
    }} }}
    """
    return Profiles(load_text(text), "host.example")


def known(folder: Path) -> tuple[FakeServer, Profiles]:
    made = profiles(folder)
    context = made.at(LISTEN, "192.0.2.1").tls.context
    sessions = [SimpleNamespace(tls_context=context), SimpleNamespace(tls_context=None)]
    desk = FakeServer(folder, "")
    desk.node.parts["worker 0"] = SimpleNamespace(
        services=SimpleNamespace(profiles=made, sessions=sessions),
        clock=SimpleNamespace(monotonic=lambda: 90.0),
        pool=SimpleNamespace(
            dialer=SimpleNamespace(securing=Outbound()),
            outlets=[
                SimpleNamespace(
                    connections=[
                        SimpleNamespace(assured=SimpleNamespace(recipe=RECIPE)),
                        SimpleNamespace(assured=None),
                    ]
                )
            ],
        ),
    )
    return desk, made


class Outbound:
    """Contexts of clients, which are forgotten."""

    def __init__(self) -> None:
        self.flushed = self.forgotten = 0
        self.clients = self.broken = self

    def contexts(self) -> dict[Recipe, float]:
        return {RECIPE: 60.0}

    def flush(self) -> None:
        self.flushed += 1

    def forget(self) -> None:
        self.forgotten += 1


async def test_contexts_are_shown_with_who_uses_them(tmp_path: Path) -> None:
    desk, _ = known(tmp_path)
    lines = (await Talk(desk).say("tls show cache")).splitlines()
    assert lines == [
        "   1) server context",
        "            age: 90 seconds old",
        "      in use by: 1 sessions",
        f"    certificate: {tmp_path}/own.crt",
        "        ca list: none",
        "        ciphers: default",
        "   2) client context",
        "            age: 30 seconds old",
        "      in use by: 1 sessions",
        "    certificate: none",
        "        ca list: /ca.pem",
        "        ciphers: HIGH",
        "Temp RSA key is uncached.",
    ]


async def test_those_of_http_are_shown_and_read_again_with_the_others(tmp_path: Path) -> None:
    desk, made = known(tmp_path)
    (tmp_path / "web").mkdir()
    others = profiles(tmp_path / "web")
    others.at(LISTEN, "192.0.2.1")
    desk.node.parts["web"] = SimpleNamespace(
        tls=SimpleNamespace(contexts=others.contexts),
        clock=SimpleNamespace(monotonic=lambda: 5.0),
    )
    said = await Talk(desk).say("tls show cache")
    for folder in (tmp_path, tmp_path / "web"):
        assert f"    certificate: {folder}/own.crt\n" in said
    (tmp_path / "web" / "own.key").write_text("nothing")
    said = await Talk(desk).say("tls flush cache")
    assert "web/own.key" in said
    [(_, kept)] = made.contexts.made()
    assert kept.context is not None


async def test_certificates_are_read_again_and_a_bad_one_is_not_taken(tmp_path: Path) -> None:
    desk, made = known(tmp_path)
    before = made.at(LISTEN, "192.0.2.1").tls.context
    authority().signed("newer.example").write(tmp_path, "own")
    said = await Talk(desk).say("tls flush cache")
    assert said == "Cache flush request submitted."
    after = made.at(LISTEN, "192.0.2.1").tls.context
    assert isinstance(after, ssl.SSLContext)
    assert after is not before
    assert desk.node.parts["worker 0"].pool.dialer.securing.flushed == 1  # type: ignore[attr-defined]
    (tmp_path / "own.key").write_text("nothing")
    said = await Talk(desk).say("tls flush cache")
    assert "own.key" in said
    assert made.at(LISTEN, "192.0.2.1").tls.context is after
