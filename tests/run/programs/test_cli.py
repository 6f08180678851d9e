"""The command `angarium`: its subcommands by name, each imported when it is wanted."""

import importlib
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from angarium.run.programs.cli import PROGRAMS, main


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_named_is_there_with_its_help(name: str) -> None:
    command = importlib.import_module(f"angarium.run.programs.{name}").command
    assert isinstance(command, click.Command)
    result = CliRunner().invoke(main, [name, "--help"])
    assert (result.exit_code, result.output[:6]) == (0, "Usage:")


def test_help_lists_the_programs_with_what_they_are_for() -> None:
    result = CliRunner().invoke(main, ["-h"])
    assert result.exit_code == 0
    for name, what in PROGRAMS.items():
        assert name in result.output
        assert what in result.output


def test_an_unknown_program_is_wrong_usage() -> None:
    result = CliRunner().invoke(main, ["server"])
    assert result.exit_code == 2
    assert "server" in result.output


def test_a_version_is_told() -> None:
    assert CliRunner().invoke(main, ["--version"]).exit_code == 0


@pytest.mark.slow
def test_nothing_is_imported_for_a_program_which_is_not_run() -> None:
    code = "import sys, angarium.run.programs.cli; print(*(m for m in sys.modules if '.run.' in m))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert set(run.stdout.split()) == {"angarium.run.programs", "angarium.run.programs.cli"}
