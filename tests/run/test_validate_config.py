"""`validate_config` says what Momentum's does."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.run.validate_config import command
from helpers.tools import file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir("/")
    monkeypatch.delenv("CONFFILE", raising=False)
    monkeypatch.setenv("EC_CONF_SEARCH_PATH", str(tmp_path))
    return tmp_path


def run() -> tuple[int, str]:
    result = CliRunner().invoke(command, [])
    return result.exit_code, result.output


def test_a_valid_configuration(folder: Path) -> None:
    file(folder, "retry_interval = 5\nretry_interval = 6\n")
    assert run() == (0, "Configuration valid\n")


def test_of_an_invalid_one_it_says_nothing(folder: Path) -> None:
    file(folder, "invalid_option = 5\n")
    assert run() == (1, "")


def test_none(folder: Path) -> None:
    assert run() == (2, "No configuration found\n")


def test_the_file_of_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file(folder, "invalid_option = 5\n")
    monkeypatch.setenv("CONFFILE", str(file(folder, "", "other.conf")))
    assert run() == (0, "Configuration valid\n")
