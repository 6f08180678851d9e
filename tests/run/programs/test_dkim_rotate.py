"""`angarium dkim rotate`: nothing is switched before all name servers show the new key."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from angarium.console.client import ConsoleError
from angarium.mail.auth.keys import private
from angarium.mail.auth.publishing import zone_line
from angarium.run.programs import dkim_rotate
from angarium.run.programs.dkim import command
from helpers.dns import DnsServer
from helpers.signing import key

TEXT = """# ours
opendkim {
  key = "KEYS/%{d}/%{s}.key"  # all of them
  selector = "s1"
}
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "ecelerity.conf"
    path.write_text(TEXT.replace("KEYS", str(tmp_path)))
    old = tmp_path / "example.com" / "s1.key"
    old.parent.mkdir()
    old.write_bytes(key("ed25519").pem())
    return path


def run(conf: Path, *words: str) -> tuple[int, str]:
    given = ["rotate", "--config", str(conf), "--domain", "example.com", "--selector", "s2"]
    result = CliRunner().invoke(command, [*given, *words])
    return result.exit_code, result.output


def new_key(conf: Path) -> Any:
    return private((conf.parent / "example.com" / "s2.key").read_bytes(), prove=True)


def test_it_is_given_twice_before_the_record_is_published_and_after(conf: Path) -> None:
    before = conf.read_text()
    zone = conf.parent / "zone"
    zone.write_text("example.com A 192.0.2.1\n")
    code, output = run(conf, "--zone", str(zone))
    made = new_key(conf)
    assert code == 1
    assert made.kind == "ed25519"
    line = zone_line("s2", "example.com", made.record())
    assert line in output
    assert "example.com is signed by the key s1 still" in output
    assert conf.read_text() == before
    zone.write_text(line)
    code, output = run(conf, "--zone", str(zone))
    assert code == 0, output
    assert new_key(conf).record() == made.record()
    after = conf.read_text()
    assert after.startswith(before[: before.index("}\n")])
    assert 'dkim_domain "example.com"' in after
    assert 'selector = "s2"' in after
    assert (conf.parent / "example.com" / "s1.key").exists()
    assert "s1._domainkey.example.com stays in DNS until" in output
    assert run(conf, "--zone", str(zone))[0] == 2


def test_all_servers_have_to_show_it(conf: Path) -> None:
    code, _ = run(conf, "--zone", str(conf))
    assert code == 2  # That is no zone.
    record = new_key(conf).record().decode()
    name = "s2._domainkey.example.com"
    with DnsServer(f"{name} TXT {record}") as first, DnsServer("a.example NODATA") as second:
        asked = ["--dns", first.address, "--dns", second.address]
        code, output = run(conf, *asked)
        assert code == 1
        assert f"{second.address}: there is no record" in output
        assert f"{first.address}:" not in output
        second.zone.add(f"{name} TXT {record}")
        assert run(conf, *asked)[0] == 0


def test_it_waits_for_dns_as_long_as_told(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = conf.parent / "zone"
    zone.write_text("example.com A 192.0.2.1\n")
    rounds = []

    async def sleep(seconds: float) -> None:
        rounds.append(seconds)
        if len(rounds) == 3:
            zone.write_text(zone_line("s2", "example.com", new_key(conf).record()))

    monkeypatch.setattr(dkim_rotate, "pause", sleep)
    code, output = run(conf, "--zone", str(zone), "--wait", "3600")
    assert code == 0, output
    assert len(rounds) == 3
    assert output.count("IN TXT") == 1


def test_a_key_which_is_there_already_is_taken(conf: Path) -> None:
    (conf.parent / "example.com" / "s2.key").write_bytes(key().pem())
    zone = conf.parent / "zone"
    zone.write_text(zone_line("s2", "example.com", key().record()))
    assert run(conf, "--zone", str(zone))[0] == 0


def test_of_rsa_it_has_2048_bits(conf: Path) -> None:
    zone = conf.parent / "zone"
    zone.write_text("")
    assert run(conf, "--zone", str(zone), "--kind", "rsa")[0] == 1
    assert (new_key(conf).kind, new_key(conf).bits) == ("rsa", 2048)


def test_the_server_can_be_told(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Told:
        failed = False

        def __init__(self, where: Any) -> None:
            asked.append(where.path)

        def ask(self, text: str) -> list[str]:
            asked.append(text)
            return ["no changes"]

        def close(self) -> None:
            asked.append("closed")

    (conf.parent / "example.com" / "s2.key").write_bytes(key().pem())
    zone = conf.parent / "zone"
    zone.write_text(zone_line("s2", "example.com", key().record()))
    words = ["--zone", str(zone), "--reload", "--state", str(conf.parent)]
    monkeypatch.setattr(dkim_rotate, "Client", Told)
    code, output = run(conf, *words)
    assert code == 0
    assert output.endswith("no changes\n")
    assert asked == [f"{conf.parent}/run/control", "config reload", "closed"]


def test_a_server_which_is_not_there_is_said(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_where: Any) -> None:
        raise ConsoleError("no server answers there")

    (conf.parent / "example.com" / "s2.key").write_bytes(key().pem())
    zone = conf.parent / "zone"
    zone.write_text(zone_line("s2", "example.com", key().record()))
    monkeypatch.setattr(dkim_rotate, "Client", nobody)
    code, output = run(conf, "--zone", str(zone), "--reload", "--state", str(conf.parent))
    assert code == 1
    assert "the server was not reloaded: no server answers there" in output
    assert 'selector = "s2"' in conf.read_text()
