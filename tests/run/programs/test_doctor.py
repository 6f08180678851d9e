"""`angarium doctor` as an operator runs it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.config.load import load_text
from angarium.run.programs import doctor
from angarium.run.programs.doctor import command
from helpers.dns import DnsServer

CONFIG = """
    hostname = mx.example.com
    dns_servers = ( "127.0.0.1:PORT" )
    esmtp_listener {{ listen "127.0.0.1:2525" {{ listen_backlog = 100 }} }}
    binding_group "g" {{
        binding "here" {{ bind_address = "127.0.0.1" }}
        binding "there" {{ bind_address = "192.0.2.77" ehlo_hostname = "__message__" }}
    }}
""".replace("{{", "{").replace("}}", "}")


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(words))
    return result.exit_code, result.output


def test_offline_it_asks_nobody_and_tells_what_it_found(tmp_path: Path) -> None:
    _, output = run("--offline", "--json", "--state", str(tmp_path))
    findings = json.loads(output)
    assert {each["verdict"] for each in findings} <= {"ok", "warn", "fail", "skipped"}
    for check in ("descriptors", "accept backlog", "file system", "sync latency", "clock"):
        assert check in [each["check"] for each in findings]


def test_a_faulty_configuration_is_told_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "ecelerity.conf"
    path.write_text("hostname mx\n")
    code, output = run("--config", str(path), "--offline")
    assert code == 1
    assert f"{path}:1:" in output


def test_bindings_are_looked_at_and_a_failure_is_the_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "ecelerity.conf"
    zone = ". NS a.root-servers.net\nmx.example.com A 192.0.2.5\n"
    with DnsServer(zone) as server:
        path.write_text(CONFIG.replace("PORT", str(server.port)))
        code, output = run("--config", str(path), "--state", str(tmp_path))
    assert code == 1
    assert "fail    binding g/there: 192.0.2.77 is not on this machine" in output
    assert "ok      binding g/here: EHLO mx.example.com is 192.0.2.5" in output
    assert f"ok      name server 127.0.0.1:{server.port}" in output
    assert "skipped port 25 outward: no host named" in output


def test_each_binding_shows_its_name_or_none() -> None:
    conf = load_text(CONFIG.replace("PORT", "53"))
    assert doctor.sender(conf, "g", "here").ehlo == "mx.example.com"
    assert doctor.sender(conf, "g", "there").ehlo == ""
    assert doctor.sender(conf, "g", "there").sources == ("192.0.2.77",)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("mx.test", ("mx.test", 25)),
        ("mx.test:2525", ("mx.test", 2525)),
        ("[2001:db8::1]:2525", ("2001:db8::1", 2525)),
        ("[2001:db8::1]", ("2001:db8::1", 25)),
        ("2001:db8::1", ("2001:db8::1", 25)),
    ],
)
def test_how_a_host_is_named(text: str, target: tuple[str, int]) -> None:
    assert doctor._target(text) == target
