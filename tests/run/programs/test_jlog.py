"""`angarium jlog`: reading, and noting that it was read."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.events.jlog import Jlog, Place, Writer
from angarium.run.programs.jlog import command


def wrote(path: Path, *messages: bytes) -> Jlog:
    writer = Writer(path, "me")
    writer.limit = 60
    left = list(messages)
    while left:
        del left[: writer.append(left, 1.0)]
    writer.close()
    return writer.jlog


@pytest.fixture
def jlog(tmp_path: Path) -> Jlog:
    return wrote(tmp_path / "q", b"1\n", b"2\n", b"no end", b"4\n")


def said(jlog: Jlog, *words: str, code: int = 0) -> list[str]:
    ended = CliRunner().invoke(command, ["read", str(jlog.path), *words])
    assert ended.exit_code == code, ended.output
    return ended.output.splitlines()


def test_without_a_subscriber_all_is_printed_and_nothing_noted(jlog: Jlog) -> None:
    assert said(jlog) == said(jlog) == ["1", "2", "no end", "4"]
    assert jlog.subscribers() == {"me": Place(0, 0)}


def test_a_subscriber_goes_on_where_it_was(jlog: Jlog) -> None:
    assert said(jlog, "-s", "me", "-n", "3") == ["1", "2", "no end"]
    assert said(jlog, "-s", "me", "--keep") == ["4"]
    assert said(jlog, "-s", "me") == ["4"]
    assert said(jlog, "-s", "me") == []
    wrote(jlog.path, b"5\n")
    assert said(jlog, "-s", "me") == ["5"]
    assert jlog.segments() == [1]  # what was read is gone


def test_one_who_is_new_gets_what_is_there(jlog: Jlog) -> None:
    assert said(jlog, "-s", "new") == ["1", "2", "no end", "4"]
    assert set(jlog.subscribers()) == {"me", "new"}


def test_damage_is_told(jlog: Jlog) -> None:
    wrote(jlog.path, b"of the next segment\n")
    jlog.segment(0).write_bytes(b"rubbish")
    assert "segment damaged" in said(jlog, code=1)[0]


def test_who_follows_gets_what_comes(jlog: Jlog) -> None:
    words = ["read", str(jlog.path), "-s", "me", "--follow", "-n", "5"]
    run = f"from angarium.run.programs.jlog import command; command({words!r})"
    with subprocess.Popen([sys.executable, "-c", run], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(4)][-1] == b"4\n"
        wrote(jlog.path, b"5\n", b"6\n")
        assert process.stdout.read() == b"5\n"
    assert process.returncode == 0
    assert said(jlog, "-s", "me") == ["6"]


def test_control_is_jlogctl(jlog: Jlog) -> None:
    ended = CliRunner().invoke(command, ["control", "-s", str(jlog.path)])
    assert "me @ 00000000:00000000" in ended.output
