"""The commands about certificates of ACME."""

from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from angarium.console.questions.acme import Certificate, Outcome
from helpers.consoles import VIEWER, FakeServer, Talk

CONFIG = """
http_listener { listen "127.0.0.1:80" { only_challenges = true } }
acme "mx" {
  directory = "https://ca.test/"
  terms_agreed = true
  names = ( mx.b.test )
  certificate = "/tls/mx.pem"
}
"""
HELD = Certificate(
    "mx", "/tls/mx.pem", ("mx.b.test", "b.test"), "https://ca.test/", "CN=x", 1_800_000_000.0,
    33.3, "", 1_797_408_000.0, ordering=False, failures=0, reason="",
)  # fmt: skip
MISSING = Certificate(
    "", "/tls/b.pem", ("c.test",), "https://ca.test/", "", 0.0, 0.0, "there is none",
    1_797_408_000.0, ordering=True, failures=2, reason="no such file",
)  # fmt: skip


class Certifier:
    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)

    async def status(self) -> list[Certificate]:
        return [HELD, MISSING]

    async def renew(self, name: str) -> list[Outcome]:
        return [each for each in self.outcomes if name in ("", each.path)]


def talk(folder: Path, *outcomes: Outcome, config: str = CONFIG) -> Talk:
    server = FakeServer(folder, config)
    server.node.parts["monitor"] = SimpleNamespace(certifier=Certifier(*outcomes))
    server.node.parts["web"] = SimpleNamespace()
    return Talk(server)


async def test_it_is_said_how_long_certificates_last(tmp_path: Path) -> None:
    desk = talk(tmp_path)
    assert (await desk.say("acme status")).splitlines() == [
        "/tls/mx.pem (mx)",
        "    names: mx.b.test b.test",
        "    authority: https://ca.test/",
        "    issued by: CN=x",
        "    ends: 2027-01-15 08:00 UTC, in 33.3 days",
        "    the next one is asked for: 2026-12-16 08:00 UTC",
        "/tls/b.pem",
        "    names: c.test",
        "    authority: https://ca.test/",
        "    there is no certificate yet",
        "    a new one is being asked for",
        "    2 orders have failed: no such file",
    ]
    plain = await desk.plain("acme status")
    assert plain["certificates"][0] == msgspec.to_builtins(HELD)


async def test_one_is_asked_for_now(tmp_path: Path) -> None:
    good, bad = Outcome("/tls/mx.pem", "2027-01-01"), Outcome("/tls/b.pem", "", "no such file")
    desk = talk(tmp_path, good, bad)
    assert await desk.say("acme renew /tls/mx.pem") == "/tls/mx.pem: until 2027-01-01"
    said = await desk.fails("acme renew")
    assert said == "/tls/mx.pem: until 2027-01-01\n/tls/b.pem: no such file"
    assert "is called other" in await desk.fails("acme renew other")


async def test_who_has_no_acme_or_no_monitor_hears_it(tmp_path: Path) -> None:
    assert "no acme stanza" in await talk(tmp_path, config="").fails("acme status")
    assert await Talk(FakeServer(tmp_path, CONFIG)).fails("acme status") == (
        "the monitor does not run"
    )


async def test_who_may_only_look_orders_nothing(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, CONFIG)
    with pytest.raises(AssertionError, match="Not Authorized"):
        await Talk(server, VIEWER).say("acme renew")
