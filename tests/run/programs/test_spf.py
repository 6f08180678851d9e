"""`angarium spf` as an operator runs it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from angarium.run.programs.spf import command
from helpers.dns import DnsServer

ZONE = """
a.example   TXT "v=spf1 a mx ip4:192.0.2.1 -all exp=why.example"
why.example TXT "%{i} is not ours"
many.example TXT "v=spf1 a a a a a a a a a a a -all"
bad.example TXT "v=spf1 moo"
two.example TXT "v=spf1 -all"
two.example TXT "v=spf1 +all"
none.example A 192.0.2.1
slow.example TIMEOUT
client.example TXT "v=spf1 +all"
"""


def run(folder: Path, *words: str) -> tuple[int, str]:
    path = folder / "zone"
    path.write_text(ZONE)
    result = CliRunner().invoke(command, [*words, "--zone", str(path)])
    return result.exit_code, result.output


def test_a_host_is_checked_and_the_result_is_the_exit_code(tmp_path: Path) -> None:
    code, output = run(tmp_path, "a.example", "--ip", "192.0.2.1", "--json")
    assert code == 0
    shown = json.loads(output)
    assert (shown["result"], shown["mechanism"], shown["terms"]) == ("pass", "ip4:192.0.2.1", 2)
    code, output = run(tmp_path, "a.example", "--ip", "192.0.2.9")
    assert code == 1
    assert "result       fail" in output
    assert "explanation  192.0.2.9 is not ours" in output


def test_sender_and_helo_can_be_given(tmp_path: Path) -> None:
    words = ("a.example", "--ip", "192.0.2.9", "--json")
    _, output = run(tmp_path, *words, "--mail-from", "", "--helo", "client.example")
    shown = json.loads(output)
    assert (shown["result"], shown["identity"]) == ("pass", "helo")
    _, output = run(tmp_path, *words, "--mail-from", "joe@none.example")
    assert json.loads(output)["result"] == "none"


@pytest.mark.parametrize(
    ("domain", "fault"),
    [
        ("a.example", ""),
        ("many.example", "more than 10 mechanisms ask DNS"),
        ("bad.example", "'moo': there is no such mechanism"),
        ("two.example", "the domain has more than one record"),
        ("none.example", "the domain has no record"),
        ("gone.example", "the domain does not exist"),
        ("slow.example", "DNS does not answer"),
    ],
)
def test_without_a_host_the_record_is_checked(tmp_path: Path, domain: str, fault: str) -> None:
    code, output = run(tmp_path, domain, "--json")
    shown: dict[str, Any] = json.loads(output)
    assert shown["fault"] == fault
    assert code == bool(fault)


def test_wrong_usage_is_told(tmp_path: Path) -> None:
    assert run(tmp_path, "a.example", "--ip", "host")[0] == 2
    (tmp_path / "broken").write_text("a.example A x")
    result = CliRunner().invoke(command, ["a.example", "--zone", str(tmp_path / "broken")])
    assert result.exit_code == 2
    assert "line 1 of the zone" in result.output


def test_a_name_server_can_be_asked() -> None:
    with DnsServer("a.example TXT v=spf1 ip4:192.0.2.1 -all") as server:
        words = ["a.example", "--ip", "192.0.2.1", "--dns", f"127.0.0.1:{server.port}"]
        result = CliRunner().invoke(command, words)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("result       pass\n")
