"""`angarium sign` as an operator runs it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from angarium.mail.auth.asking import at_once
from angarium.mail.auth.dkim import verify
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.publishing import zone_line
from angarium.run.programs.sign import command
from helpers.signing import NOW, key, zone

KEY = key()
LETTER = b"From: joe@example.com\nSubject: hello\nTo: a@b.example\n\nHello.\n"
RECORDS = zone(s1=KEY.record())


@pytest.fixture
def who(tmp_path: Path) -> list[str]:
    (tmp_path / "key").write_bytes(KEY.pem())
    words = ["--domain", "Example.com", "--selector", "s1", "--key", str(tmp_path / "key")]
    return [*words, "--at", str(NOW)]


def run(message: bytes, words: list[str], *more: str) -> Result:
    return CliRunner().invoke(command, ["-", *words, *more], input=message)


def tags(message: bytes) -> dict[bytes, bytes]:
    """Return the tags of the only signature, which holds."""
    header, pieces = opened([message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")])
    [verdict] = at_once(verify(Fields(header), pieces, RECORDS, NOW))
    assert verdict.passed, verdict.reason
    assert verdict.signature is not None
    return verdict.signature.tags


def test_a_message_gets_a_signature_and_keeps_its_line_ends(who: list[str]) -> None:
    plain = run(LETTER, who).stdout_bytes
    assert plain.endswith(LETTER)
    assert b"\r" not in plain
    assert tags(plain)[b"d"] == b"example.com"
    crlf = run(LETTER.replace(b"\n", b"\r\n"), who).stdout_bytes
    assert crlf == plain.replace(b"\n", b"\r\n")


def test_how_it_is_signed_can_be_said(who: list[str]) -> None:
    options = ["--header-canon", "simple", "--body-canon", "simple", "--headers", "From:To"]
    options += ["--oversign", "From", "--identity", "joe@mail.example.com", "--lifetime", "60"]
    known = tags(run(LETTER, who, *options, "--length", "--copy-headers").stdout_bytes)
    assert (known[b"c"], known[b"h"]) == (b"simple/simple", b"from:to:from")
    assert (known[b"i"], known[b"l"]) == (b"joe@mail.example.com", b"8")
    assert int(known[b"x"]) == NOW + 60
    assert b"From:" in known[b"z"]


def test_it_can_be_written_to_a_file(who: list[str], tmp_path: Path) -> None:
    result = run(LETTER, who, "--output", str(tmp_path / "out"))
    assert result.stdout_bytes == b""
    assert tags((tmp_path / "out").read_bytes())


def test_a_set_of_arc_says_what_the_message_says(who: list[str], tmp_path: Path) -> None:
    (tmp_path / "zone").write_text(zone_line("s1", "example.com", KEY.record()))
    asks = ["--arc", "--zone", str(tmp_path / "zone"), "--authserv-id", "mx.example"]
    said = b"Authentication-Results: mx.example; spf=pass smtp.mailfrom=joe@example.com\n"
    first = run(said + LETTER, who, *asks).stdout_bytes
    text = b" ".join(first.split())
    assert b"ARC-Authentication-Results: i=1; mx.example; spf=pass smtp.mailfrom=joe@e" in text
    assert b"; arc=none" in text
    second = run(first, who, *asks, "--results", "dkim=none").stdout_bytes
    text = b" ".join(second.split())
    assert b"cv=pass" in text
    assert b"i=2; mx.example; dkim=none" in text
    broken = second.replace(b"Hello.", b"Hallo.")
    third = run(broken, who, *asks).stdout_bytes
    assert b"cv=fail" in b" ".join(third.split())
    last = run(third, who, *asks)
    assert (last.exit_code, "nobody adds to it" in last.output) == (1, True)


def test_what_cannot_be_signed_is_said(who: list[str], tmp_path: Path) -> None:
    nowhere = [*who[:5], str(tmp_path / "none")]
    assert run(LETTER, nowhere).exit_code == 1
    (tmp_path / "key").write_bytes(b"secret")
    result = run(LETTER, who)
    assert (result.exit_code, result.output) == (
        1, "this is no private key, or one that is encrypted\n",
    )  # fmt: skip
    (tmp_path / "key").write_bytes(key("ed25519").pem())
    for wrong in (["--sha1"], ["--domainkeys"]):
        assert run(LETTER, who, *wrong).exit_code == 1
    for usage in (
        ["--arc", "--domainkeys"],
        ["--domain", "a b"],
        ["--identity", "@other.example"],
        ["--headers", "a b\x01"],
    ):
        assert run(LETTER, who, *usage).exit_code == 2, usage


@pytest.mark.parametrize("message", [b"", b"\n", b"no header", b"A: b", b"\xff\x00\n\n\n"])
def test_whatever_is_given_is_signed(who: list[str], message: bytes) -> None:
    result = run(message, who)
    assert result.exit_code == 0
    assert result.stdout_bytes.startswith(b"DKIM-Signature:")
    assert result.stdout_bytes.endswith(message)
