"""`angarium tlscheck`: usage, and reports of others; hosts are tried in the scenario."""

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.mail.report.tlsrpt import (
    Envelope,
    Failure,
    Judged,
    PolicyOf,
    Range,
    Report,
    Summary,
    letter,
    packed,
    written,
)
from angarium.run.programs.tlscheck import command
from helpers.dns import DnsServer

REPORT = Report(
    "Example Inc.",
    Range("2026-11-25T00:00:00Z", "2026-11-25T23:59:59Z"),
    "1",
    (
        Judged(
            PolicyOf("sts", "example.com", ("version: STSv1",)),
            Summary(5, 2),
            (Failure("certificate-expired", "192.0.2.1", "mx", "", "192.0.2.2", 2),),
        ),
    ),
)


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, list(words))
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("kind", ["json", "gzip", "message"])
def test_a_report_is_printed_however_it_came(tmp_path: Path, kind: str) -> None:
    octets = written(REPORT)
    if kind == "gzip":
        octets = gzip.compress(octets)
    elif kind == "message":
        envelope = Envelope("mx.test", "a@mx.test", "b@example.com", "example.com", 0, 1, 2.0, "t")
        octets = letter(REPORT, packed(REPORT, 0), envelope).replace(b"\r\n", b"\n")
    file = tmp_path / "report"
    file.write_bytes(octets)
    code, said, _ = run("--report", str(file))
    assert code == 0
    assert said.splitlines() == [
        "Example Inc., 2026-11-25T00:00:00Z to 2026-11-25T23:59:59Z",
        "  example.com by sts: 5 good, 2 failed",
        "        2 certificate-expired mx [192.0.2.2] from [192.0.2.1] ",
    ]


def test_as_json_it_is_what_was_sent(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_bytes(written(REPORT))
    code, said, _ = run("--report", "--json", str(file))
    assert code == 0
    assert json.loads(said) == json.loads(written(REPORT))


def test_what_is_no_report_is_told_and_the_others_are_printed(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"From: a@b\n\nnothing\n")
    (tmp_path / "good").write_bytes(written(REPORT))
    code, said, error = run("--report", str(tmp_path / "bad"), str(tmp_path / "good"))
    assert code == 1
    assert "Example Inc." in said
    assert "bad" in error


def test_a_domain_which_takes_no_mail_is_said_so() -> None:
    with DnsServer("null.test MX 0 .") as dns:
        code, said, _ = run("null.test", "--dns", f"127.0.0.1:{dns.port}")
        assert code == 1
        assert "no mail would go" in said
        code, said, _ = run("null.test", "--dns", f"127.0.0.1:{dns.port}", "--json")
        told = json.loads(said)
    assert (code, told["good"], told["hosts"], told["mta_sts"]) == (1, False, [], None)


def test_a_name_server_which_is_none_is_wrong_usage() -> None:
    code, _, error = run("example.com", "--dns", "not a server")
    assert code == 2
    assert "dns_servers" in error
