"""`angarium dkim` as an operator runs it: keys are made, and their records checked."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from angarium.mail.auth.keys import private
from angarium.run.programs.dkim import command
from helpers.dns import DnsServer
from helpers.signing import key

WHO = ["--domain", "example.com", "--selector", "s1"]
NAME = "s1._domainkey.example.com"


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(words))
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("words", "kind", "bits"),
    [
        ([], "rsa", 2048),
        (["--bits", "1024"], "rsa", 1024),
        (["--kind", "ed25519"], "ed25519", 256),
    ],
)
def test_a_key_is_made_and_its_record_printed(
    tmp_path: Path, words: list[str], kind: str, bits: int
) -> None:
    path = tmp_path / "s1.key"
    code, output = run("keygen", "--out", str(path), *words, *WHO)
    assert code == 0
    made = private(path.read_bytes(), prove=True)
    assert (made.kind, made.bits) == (kind, bits)
    assert stat.S_IMODE(path.stat().st_mode) & 0o027 == 0
    assert f'{NAME}. IN TXT "v=DKIM1; k={kind}; p=' in output
    assert ("shortest receivers take" in output) == (bits == 1024)
    (tmp_path / "zone").write_text(output.splitlines()[-1])
    checked = ["check", *WHO, "--key", str(path), "--zone", str(tmp_path / "zone")]
    assert run(*checked)[0] == 0
    code, output = run("keygen", "--out", str(path))
    assert (code, "is there already" in output) == (1, True)


def test_records_are_printed_for_zones_and_for_forms(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(key(bits=2048).pem())
    record = key(bits=2048).record().decode()
    assert run("record", "--key", str(path)) == (0, record + "\n")
    flags = ["--testing", "--strict"]
    code, output = run("record", "--key", str(path), *flags, *WHO)
    assert code == 0
    assert output.startswith(f'{NAME}. IN TXT "v=DKIM1; k=rsa; t=y:s; p=')
    assert output.count('" "') == 1
    assert run("record", "--key", str(tmp_path / "none"))[0] == 1
    path.write_bytes(b"x")
    assert run("record", "--key", str(path))[0] == 1


def test_each_name_server_is_asked_and_all_faults_are_told(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(key("ed25519").pem())
    good, other = key("ed25519").record().decode(), key("ed25519", number=1).record().decode()
    with DnsServer(f"{NAME} TXT {good}") as here, DnsServer(f"{NAME} TXT {other}; t=y") as there:
        words = ["check", *WHO, "--dns", here.address, "--dns", there.address]
        code, output = run(*words, "--key", str(path))
        assert code == 1
        assert output.splitlines()[0] == f"{here.address}: good"
        assert "DNS has another key" in output
        assert f"{there.address}: note: t=y" in output
        code, output = run(*words, "--json")
    found: Any = json.loads(output)
    assert (code, found["good"], found["name"]) == (0, True, NAME)
    assert found["said"][here.address] == []


def test_a_key_which_everybody_may_read_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(key("ed25519").pem())
    path.chmod(0o644)
    (tmp_path / "zone").write_text(f'{NAME}. TXT "{key("ed25519").record().decode()}"')
    words = ["check", *WHO, "--key", str(path), "--zone", str(tmp_path / "zone")]
    code, output = run(*words)
    assert code == 0
    assert f"{path}: note: everybody may read the key" in output


def test_no_record_and_no_answer_are_failures(tmp_path: Path) -> None:
    (tmp_path / "zone").write_text("slow._domainkey.example.com TIMEOUT\n")
    zone = ["--zone", str(tmp_path / "zone"), "--domain", "example.com", "--selector"]
    assert run("check", *zone, "s1") == (1, f"{tmp_path}/zone: there is no record\n")
    assert run("check", *zone, "slow") == (1, f"{tmp_path}/zone: it does not answer\n")
    assert run("check", *zone, "a b")[0] == 2
