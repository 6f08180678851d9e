"""`ec_mta_sts_purge` removes what is over, and nothing else."""

import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.net.tlspolicy.shelf import Kept, Shelf
from angarium.run.mta_sts_purge import command

LINES = ("version: STSv1", "mode: none", "max_age: 100")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shelf = Shelf(tmp_path)
    shelf.save(Kept("old.example", "1", time.time() - 1000, LINES))
    shelf.save(Kept("new.example", "1", time.time() + 1000, LINES))
    (tmp_path / "other").write_text("of somebody else")
    return tmp_path


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, list(words))
    return result.exit_code, result.stdout, result.stderr


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_over_is_removed(folder: Path) -> None:
    assert run("-dir", str(folder)) == (0, "", "")
    assert names(folder) == ["new.example.json", "other"]


@pytest.mark.parametrize("flag", ["-v", "-verbose"])
def test_it_says_what_it_removes(folder: Path, flag: str) -> None:
    assert run("-dir", str(folder), flag) == (0, f"{folder}/old.example.json\n", "")


def test_a_trial_removes_nothing(folder: Path) -> None:
    assert run("-dryrun", "-dir", str(folder)) == (0, f"{folder}/old.example.json\n", "")
    assert len(names(folder)) == 3


def test_where_nothing_is_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert run("-dir", str(tmp_path / "none")) == (0, "", "")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, error = run("-dir", str(tmp_path / "file"))
    assert code == 1
    assert "Not a directory" in error
