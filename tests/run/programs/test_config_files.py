"""Which configuration is meant where none is named, and how much is printed."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.core.errors import Error
from angarium.run.programs.config_files import (
    default_file,
    ending,
    found,
    printable,
    read,
    say,
)
from helpers.tools import file


def test_the_file_of_conffile_is_meant_else_the_one_of_the_search_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    search = {"EC_CONF_SEARCH_PATH": f"{tmp_path}/nowhere:{there}"}
    assert default_file(search) is None
    path = file(there, "")
    assert default_file(search) == str(path)
    other = file(there, "", "other.conf")
    assert default_file(search | {"CONFFILE": "other.conf"}) == str(other)
    assert default_file(search | {"CONFFILE": str(other)}) == str(other)
    assert default_file(search | {"CONFFILE": "/nowhere"}) is None
    file(here, "")
    assert default_file(search) == "ecelerity.conf"  # what is here comes first
    assert found("there/ecelerity.conf", search) is None


def test_a_file_which_cannot_be_read_is_another_failure_than_a_faulty_one(tmp_path: Path) -> None:
    with pytest.raises(Error, match="cannot be read: No such file"):
        read(str(tmp_path / "none"), files=False)
    assert len(read(str(file(tmp_path, "x")), files=False).faults) == 1
    with pytest.raises(SystemExit) as caught, ending():
        raise Error("nothing")
    assert caught.value.code == 2


def test_much_is_printed_in_pieces_and_completely(capsys: pytest.CaptureFixture[str]) -> None:
    with CliRunner().isolation() as (out, *_):
        say(f"{n:>9}\n" for n in range(20_000))
        assert out.getvalue().split() == [b"%d" % n for n in range(20_000)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_which_cannot_be_written_is_said_in_one_line() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "angarium.run.programs.cli", "config", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "the output cannot be written: No space left on device\n"


def test_a_message_has_nothing_a_terminal_would_act_upon() -> None:
    assert printable("a\x1b[2J\nb\udcff é") == "a\\x1b[2J\\x0ab\\xdcff é"
    assert printable("a\nb", also="\n") == "a\nb"
