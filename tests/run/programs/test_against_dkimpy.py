"""The programs against those of dkimpy: dkimsign, dkimverify, arcsign and arcverify.

Theirs run as processes of their own, as an operator runs them; where they ask DNS they are given
the same zone, in place of what looks names up.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from angarium.mail.auth.publishing import zone_line
from angarium.run.programs.sign import command as sign
from angarium.run.programs.verify import command as verify
from helpers import signing
from helpers.signing import key

KEY = key()
MANY = 12  # messages; a process of theirs takes 0.2 s
# Runs one of their programs, with names from a file of lines "NAME TEXT".
THEIRS = """
import sys, importlib
import dkim.dnsplug
zone = dict(line.split(" ", 1) for line in open(sys.argv[1]).read().splitlines())
dkim.dnsplug._get_txt = lambda name, timeout=5: zone.get(name.rstrip("."))
module = sys.argv[2]
sys.argv = sys.argv[2:]
importlib.import_module(f"dkim.{module}").main()
"""


class Judges:
    """Both sides, over one key of example.com."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "key").write_bytes(KEY.pem())
        (folder / "zone").write_text(zone_line("s1", "example.com", KEY.record()))
        (folder / "names").write_text(f"s1._domainkey.example.com {KEY.record().decode()}\n")

    def theirs(self, program: str, message: bytes, *words: str) -> tuple[int, bytes]:
        given = [sys.executable, "-W", "ignore", "-c", THEIRS, str(self.folder / "names"), program]
        done = subprocess.run(
            [*given, *words], input=message, capture_output=True, timeout=60, check=False
        )
        return done.returncode, done.stdout

    def signed(self, message: bytes, *words: str) -> bytes:
        who = ["--domain", "example.com", "--selector", "s1", "--key", str(self.folder / "key")]
        result = CliRunner().invoke(sign, ["-", *who, *words, *self.zone], input=message)
        assert result.exit_code == 0, result.output
        return result.stdout_bytes

    @property
    def zone(self) -> list[str]:
        return ["--zone", str(self.folder / "zone")]

    def dkim(self, message: bytes) -> bool:
        result = CliRunner().invoke(verify, ["-", *self.zone, "--json"], input=message)
        return bool(json.loads(result.output)["dkim"][0]["result"] == "pass")

    def arc(self, message: bytes) -> str:
        result = CliRunner().invoke(verify, ["-", *self.zone, "--json"], input=message)
        return str(json.loads(result.output)["arc"]["result"])


@pytest.fixture
def judges(tmp_path: Path) -> Judges:
    pytest.importorskip("dkim")
    return Judges(tmp_path)


def messages(seed: int) -> Iterator[tuple[Random, bytes]]:
    """Yield messages, every other one with the line ends of files."""
    random = Random(seed)
    for number in range(MANY):
        message = signing.message(random, plain=True)
        yield random, message.replace(b"\r\n", b"\n") if number % 2 else message


def spoilt(random: Random, message: bytes) -> bytes:
    """Change a word of the body, or of a field which is signed, or nothing."""
    if random.random() < 0.4:
        return message
    if random.random() < 0.5:
        return message.replace(b"joe@example.com", b"jim@example.com", 1)
    return message + b"more\n"


@pytest.mark.slow
def test_what_angarium_signs_dkimverify_takes_and_both_refuse_the_same(judges: Judges) -> None:
    outcomes = set()
    for random, message in messages(1):
        forms = [random.choice(("simple", "relaxed")) for _ in range(2)]
        options = ["--header-canon", forms[0], "--body-canon", forms[1]]
        made = spoilt(random, judges.signed(message, *options))
        code, output = judges.theirs("dkimverify", made)
        outcomes.add(code)
        assert judges.dkim(made) is (code == 0), (output, made)
    assert outcomes == {0, 1}


@pytest.mark.slow
def test_what_dkimsign_signs_angarium_takes(judges: Judges) -> None:
    for random, message in messages(2):
        forms = [random.choice(("simple", "relaxed")) for _ in range(2)]
        words = ["s1", "example.com", str(judges.folder / "key")]
        code, made = judges.theirs(
            "dkimsign", message, *words, "--hcanon", forms[0], "--bcanon", forms[1]
        )
        assert code == 0
        assert made.endswith(message)
        assert judges.dkim(made), made


@pytest.mark.slow
def test_chains_are_judged_alike_whoever_sealed(judges: Judges) -> None:
    outcomes = set()
    for random, message in messages(3):
        made = message
        for _ in range(random.randrange(1, 3)):
            # arcsign repeats what the message says, so it has to say something.
            said = b"Authentication-Results: mx.example; spf=pass" + (
                b"\r\n" if b"\r\n" in made else b"\n"
            )
            if random.random() < 0.5:
                made = judges.signed(made, "--arc", "--authserv-id", "mx.example")
            else:
                words = ["s1", "example.com", str(judges.folder / "key"), "mx.example"]
                code, made = judges.theirs("arcsign", said + made, *words)
                assert code == 0
        made = spoilt(random, made)
        _, output = judges.theirs("arcverify", made)
        theirs = output.decode().partition("cv=b'")[2].partition("'")[0]
        outcomes.add(theirs)
        assert judges.arc(made) == theirs, (output, made)
    assert outcomes == {"pass", "fail"}
