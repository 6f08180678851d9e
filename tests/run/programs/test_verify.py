"""`angarium verify` as an operator runs it, on what `angarium sign` has made, and on all else."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from angarium.mail.auth.publishing import zone_line
from angarium.run.programs.sign import command as sign
from angarium.run.programs.verify import command
from helpers.dns import DnsServer
from helpers.signing import key

KEY, CURVE = key(), key("ed25519")
LETTER = b"From: joe@example.com\nSubject: hello\n\nHello.\n"
ZONE = "\n".join([
    zone_line("s1", "example.com", KEY.record()),
    zone_line("e1", "example.com", CURVE.record()),
    'example.com. TXT "v=spf1 ip4:192.0.2.1 -all"',
    '_dmarc.example.com. TXT "v=DMARC1; p=quarantine"',
    "slow._domainkey.example.com. TIMEOUT",
])  # fmt: skip


@pytest.fixture
def zone(tmp_path: Path) -> list[str]:
    (tmp_path / "zone").write_text(ZONE)
    return ["--zone", str(tmp_path / "zone")]


def run(message: bytes, *words: str) -> Result:
    return CliRunner().invoke(command, ["-", *words], input=message)


def shown(message: bytes, *words: str) -> Any:
    result = run(message, *words, "--json")
    found = json.loads(result.output)
    assert result.exit_code == (0 if found["good"] else 1)
    return found


def signed(folder: Path, message: bytes, *words: str, which: Any = KEY) -> bytes:
    (folder / "key").write_bytes(which.pem())
    selector = "s1" if which is KEY else "e1"
    given = ["-", "--domain", "example.com", "--selector", selector, "--key", str(folder / "key")]
    result = CliRunner().invoke(sign, [*given, *words], input=message)
    assert result.exit_code == 0, result.output
    return result.stdout_bytes


def test_what_was_signed_passes(tmp_path: Path, zone: list[str]) -> None:
    message = signed(tmp_path, signed(tmp_path, LETTER), which=CURVE)
    found = shown(message, *zone)
    first, second = found["dkim"]
    assert (first["result"], first["algorithm"]) == ("pass", "ed25519-sha256")
    assert (second["domain"], second["selector"], second["bits"]) == ("example.com", "s1", 1024)
    assert second["fields"] == ["from", "subject"]
    assert (found["dmarc"]["result"], found["dmarc"]["dkim_aligned"]) == ("pass", True)
    assert found["spf"] is None
    assert "dkim=pass (256-bit key)" in found["authentication_results"]


def test_who_sent_it_is_checked_where_that_is_said(zone: list[str]) -> None:
    here = ("--ip", "192.0.2.1", "--helo", "mx.example.com")
    found = shown(LETTER, *zone, *here, "--mail-from", "joe@example.com")
    assert (found["spf"]["result"], found["dmarc"]["spf_aligned"]) == ("pass", True)
    there = shown(b"Return-Path: <a@example.com>\n" + LETTER, *zone, "--ip", "192.0.2.9")
    assert (there["spf"]["result"], there["spf"]["domain"]) == ("fail", "example.com")
    assert not there["good"]
    assert shown(LETTER, *zone, *here)["spf"]["domain"] == "mx.example.com"
    asked = run(LETTER, *zone, "--ip", "192.0.2.1")
    assert (asked.exit_code, "--mail-from" in asked.output) == (2, True)
    assert run(LETTER, *zone, "--ip", "host", "--helo", "x").exit_code == 2


def test_people_get_a_line_for_each_check(tmp_path: Path, zone: list[str]) -> None:
    message = signed(tmp_path, LETTER).replace(b"Hello.", b"Hallo.")
    result = run(b"From joe Mon Jan 1\n" + message, *zone, "--ip", "::1", "--mail-from", "")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert [each.split()[:2] for each in lines] == [
        ["spf", "none"], ["dkim", "fail"], ["arc", "none"], ["dmarc", "fail"],
    ]  # fmt: skip
    assert lines[1].endswith("example.com, s1, rsa-sha256: the body was changed")
    assert lines[3].endswith("(p=quarantine, do: quarantine)")


def test_what_a_message_says_of_itself_does_nothing_to_a_terminal(zone: list[str]) -> None:
    field = b"DKIM-Signature: v=1; a=rsa-sha256; d=\x1b[2J.example; s=x; h=from; bh=AA==; b=AA==\n"
    result = run(field + LETTER, *zone)
    assert result.exit_code == 1
    assert result.output.replace("\n", "").isprintable()


def test_a_chain_and_older_signatures_are_shown(tmp_path: Path, zone: list[str]) -> None:
    message = signed(tmp_path, LETTER, "--domainkeys")
    message = signed(tmp_path, message, "--arc", "--authserv-id", "mx.example.com", *zone)
    found = shown(message, *zone)
    assert found["domainkeys"] == {"status": "good", "domain": "example.com", "selector": "s1"}
    assert found["arc"]["sets"] == [{"domain": "example.com", "cv": "none"}]
    assert "arc=pass" in found["authentication_results"]
    lines = run(message, *zone).output
    assert "domainkeys  good" in lines
    assert "sealed by example.com" in lines


def test_old_signatures_count_at_their_time(tmp_path: Path, zone: list[str]) -> None:
    message = signed(tmp_path, LETTER, "--lifetime", "10", "--at", "1000000")
    assert shown(message, *zone, "--at", "1000005")["dkim"][0]["result"] == "pass"
    late = shown(message, *zone)["dkim"][0]
    assert (late["reason"], late["expires_at"]) == ("it has expired", 1000010)


def test_what_counts_can_be_said(tmp_path: Path, zone: list[str]) -> None:
    message = signed(tmp_path, LETTER, "--sha1")
    assert shown(message, *zone)["dkim"][0]["result"] == "policy"
    assert shown(message, *zone, "--sha1")["dkim"][0]["result"] == "pass"
    assert shown(message, *zone, "--sha1", "--bits", "2048")["dkim"][0]["result"] == "policy"


def test_files_of_either_kind_are_read(tmp_path: Path, zone: list[str]) -> None:
    message = signed(tmp_path, LETTER)
    for name, octets in (("1700.x:2,S", message), ("b.eml", message.replace(b"\n", b"\r\n"))):
        (tmp_path / name).write_bytes(octets)
        result = CliRunner().invoke(command, [str(tmp_path / name), *zone])
        assert result.exit_code == 0, result.output
    gone = CliRunner().invoke(command, [str(tmp_path / "gone"), *zone])
    assert (gone.exit_code, "No such file" in gone.output) == (2, True)
    (tmp_path / "broken").write_text("a.example A x")
    assert run(LETTER, "--zone", str(tmp_path / "broken")).exit_code == 2


def test_dns_which_does_not_tell_is_no_good(tmp_path: Path, zone: list[str]) -> None:
    message = signed(tmp_path, LETTER).replace(b"s=s1", b"s=slow")
    assert shown(message, *zone)["dkim"][0]["result"] == "temperror"


def test_a_name_server_can_be_asked(tmp_path: Path) -> None:
    message = signed(tmp_path, LETTER, which=CURVE)
    record = CURVE.record().decode()
    with DnsServer(f"e1._domainkey.example.com TXT {record}") as server:
        assert shown(message, "--dns", server.address)["dkim"][0]["result"] == "pass"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400) | st.binary(max_size=100).map((b"ARC-Seal: i=1" + LETTER).__add__))
def test_it_has_an_answer_for_whatever_a_file_has(zone: list[str], octets: bytes) -> None:
    result = run(octets, *zone, "--json")
    assert result.exit_code in (0, 1)
    assert isinstance(json.loads(result.output)["dkim"], list)
    assert run(octets, *zone).exit_code == result.exit_code
