"""`angarium dmarc` as an operator runs it."""

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.mail.report.dmarc.aggregate import Published, Report, Row, Signature, written
from angarium.mail.report.dmarc.letters import Writer, daily
from angarium.run.programs.dmarc import command

ZONE = """
_dmarc.a.example TXT "v=DMARC1; p=reject; sp=none; rua=mailto:r@a.example; ruf=mailto:f@a.example"
_dmarc.slow.example TIMEOUT
"""
REPORT = Report(
    "them", "dmarc@them.example", "id", 1_700_000_000, 1_700_086_399,
    Published("a.example", sp="none"),
    ((Row("192.0.2.1", "reject", "fail", "fail", "a.example",
          signatures=(Signature("b.example", "s", "fail"),)), 7),),
)  # fmt: skip


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(words))
    return result.exit_code, result.output


@pytest.fixture
def zone(tmp_path: Path) -> str:
    path = tmp_path / "zone"
    path.write_text(ZONE)
    return str(path)


def test_the_policy_which_holds_is_shown(zone: str) -> None:
    code, output = run("policy", "a.example", "--zone", zone)
    assert code == 0
    assert output.splitlines() == [
        "a.example: reject, by the record of a.example",
        "reports go to mailto:r@a.example",
        "failures go to mailto:f@a.example",
    ]
    code, output = run("policy", "x.A.example", "--zone", zone, "--json")
    shown = json.loads(output)
    assert (shown["policy"], shown["organisation"]) == ("none", "a.example")
    assert shown["published"]["p"] == "reject"


@pytest.mark.parametrize(
    ("name", "words"), [("b.example", "no record"), ("slow.example", "DNS does not answer")]
)
def test_without_a_policy_the_exit_code_is_1(zone: str, name: str, words: str) -> None:
    code, output = run("policy", name, "--zone", zone)
    assert code == 1
    assert words in output


def test_reports_are_shown_in_every_form_they_come_in(tmp_path: Path) -> None:
    xml = written(REPORT)
    letter = daily(REPORT, Writer("them.example", "d@them.example"), ["r@a.example"], 0.0, "t")
    for octets in (xml, gzip.compress(xml), letter, letter.replace(b"\r\n", b"\n")):
        path = tmp_path / "report"
        path.write_bytes(octets)
        code, output = run("report", str(path))
        assert code == 0
        first, second = output.splitlines()
        assert first == "a.example by them, 2023-11-14 22:13 to 2023-11-15 22:13: 7"
        assert second.split() == [
            "7", "192.0.2.1", "reject", "dkim=fail", "spf=fail", "from=a.example", "b.example=fail",
        ]  # fmt: skip
        code, output = run("report", str(path), "--json")
        assert json.loads(output)["rows"][0][1] == 7


def test_what_is_no_report_is_told_and_the_others_are_shown(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"Subject: x\n\nhello\n")
    (tmp_path / "good").write_bytes(written(REPORT))
    code, output = run("report", str(tmp_path / "bad"), str(tmp_path / "good"))
    assert code == 1
    assert "no XML" in output
    assert "a.example by them" in output
