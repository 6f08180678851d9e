"""The program by itself: where it looks for a server, and what its exit codes are.

With a real server: tests/scenario/test_console_changes.py.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from angarium.run.programs import console


@pytest.fixture(autouse=True)
def _no_title(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setproctitle.setproctitle", lambda _: None)


def run(*words: str) -> Result:
    return CliRunner().invoke(console.command, list(words))


def test_where_no_server_is_the_exit_code_is_3(tmp_path: Path) -> None:
    result = run("--state", str(tmp_path), "help")
    assert result.exit_code == 3
    assert "no server answers there" in result.output


def test_the_configuration_names_the_state_directory(tmp_path: Path) -> None:
    config = tmp_path / "ecelerity.conf"
    config.write_text(f'spoolbase = "{tmp_path}/queue"\n')
    assert run("--config", str(config), "help").exit_code == 3
    config.write_text("hostnam = x\n")
    result = run("--config", str(config), "help")
    assert result.exit_code == 1
    assert "did you mean hostname?" in result.output


def test_options_of_a_command_are_not_ours(tmp_path: Path) -> None:
    result = run("--state", str(tmp_path), "config", "show", "--json")
    assert result.exit_code == 3
