"""Momentum's arguments of the console: the endpoint first, then a command."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from angarium.console.client import no_password
from angarium.run.programs import console, ec_console
from angarium.run.programs.console import Wanted


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> list[Wanted]:
    found: list[Wanted] = []
    monkeypatch.setattr(ec_console, "run", found.append)
    return found


def run(*words: str) -> Result:
    return CliRunner().invoke(ec_console.command, list(words))


@pytest.mark.parametrize(
    ("words", "where", "lines"),
    [
        (["john@127.0.0.1:2025"], "john@127.0.0.1:2025", ()),
        (["2025", "config", "get", "hostname"], "/tmp/2025", ("config get hostname",)),
        (["/x/y", "binding fail domain"], "/x/y", ("binding fail domain",)),
        (["-c", "one", "-c", "two", "/x/y"], "/x/y", ("one", "two")),
    ],
)
def test_the_first_word_is_where_and_the_others_what(
    wanted: list[Wanted], words: list[str], where: str, lines: tuple[str, ...]
) -> None:
    assert run(*words).exit_code == 0
    [found] = wanted
    assert (str(found.where), found.lines, found.form) == (where, lines, "text")


def test_answers_come_as_json_or_xml(wanted: list[Wanted]) -> None:
    run("--json", "/x")
    run("--xml", "/x")
    assert [each.form for each in wanted] == ["json", "xml"]


def test_without_an_endpoint_it_is_the_usual_socket_or_our_own(
    wanted: list[Wanted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ec_console, "DEFAULT", str(tmp_path / "2025"))
    run()
    (tmp_path / "2025").write_text("")
    run()
    assert [each.where.path for each in wanted] == [
        "/var/spool/ecelerity/run/control",
        str(tmp_path / "2025"),
    ]


def test_what_is_no_endpoint_is_told() -> None:
    result = run("ssh://there/x", "pid")
    assert result.exit_code == 1
    assert "ssh -L" in result.output


def test_a_password_stands_in_the_environment_or_is_asked_for(
    wanted: list[Wanted], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("/x")
    monkeypatch.setenv(console.PASSWORD, "secret")
    assert wanted[0].access().password() == "secret"
    monkeypatch.delenv(console.PASSWORD)
    assert wanted[0].access().password is no_password  # standard input is no terminal
