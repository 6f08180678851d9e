"""paniclog: one write a line, bounded, never a failure of its own."""

import errno
import os
from pathlib import Path

import pytest

from angarium.events import format as lines
from angarium.events.panic import MAX_LINE, PanicLog
from helpers.clock import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "paniclog.ec"


def test_a_line_names_time_and_source(path: Path) -> None:
    PanicLog(str(path), FakeClock(1307461172.9)).write("scriptlet", "no such file\nline 3")
    assert path.read_text() == "1307461172:scriptlet: no such file\\nline 3\n"


def test_with_hires_timestamps(path: Path) -> None:
    log = PanicLog(str(path), FakeClock(1307461172.5), stamp=lines.microseconds)
    log.write("core", "up")
    assert path.read_text() == "1307461172500000:core: up\n"


def test_the_mode_is_that_of_the_option(path: Path) -> None:
    PanicLog(str(path), FakeClock(1.0), mode=0o600).write("core", "up")
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_processes_append_to_one_file(path: Path) -> None:
    logs = [PanicLog(str(path), FakeClock(1.0)) for _ in range(2)]
    for number in range(3):
        for log in logs:
            log.write("core", str(number))
    assert path.read_text().count("\n") == 6


def test_a_long_text_is_cut_and_stays_whole_characters(path: Path) -> None:
    PanicLog(str(path), FakeClock(1.0)).write("core", "é" * 20000)
    written = path.read_bytes()
    assert len(written) <= MAX_LINE
    assert written.decode().endswith("é...\n")


def test_after_a_rotation_lines_go_to_the_new_file(path: Path) -> None:
    log = PanicLog(str(path), FakeClock(1.0))
    log.write("core", "old")
    path.rename(path.with_suffix(".1"))
    log.write("core", "still old")
    log.reopen()
    log.write("core", "new")
    assert path.read_text() == "1:core: new\n"
    assert path.with_suffix(".1").read_text() == "1:core: old\n1:core: still old\n"


def test_no_path_writes_nothing(tmp_path: Path) -> None:
    PanicLog("", FakeClock(1.0)).write("core", "x")
    assert not list(tmp_path.iterdir())


def test_lost_lines_are_counted_and_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = PanicLog(str(path), FakeClock(1.0))
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        log.write("core", "a")
        log.write("core", "b")
    assert log.lost == 2
    log.write("core", "c")
    assert path.read_text() == "1:paniclog: 2 lines were lost\n1:core: c\n"
    assert log.lost == 0


def test_a_folder_that_is_missing_is_made(path: Path) -> None:
    PanicLog(str(path.parent / "log" / "paniclog.ec"), FakeClock(1.0)).write("core", "a")
    assert (path.parent / "log" / "paniclog.ec").read_text() == "1:core: a\n"


def test_a_path_that_cannot_be_is_no_failure_of_the_caller(path: Path) -> None:
    path.write_text("")
    log = PanicLog(str(path / "paniclog.ec"), FakeClock(1.0))
    log.write("core", "a")
    assert log.lost == 1


def full(file: int, octets: bytes) -> int:
    raise OSError(errno.ENOSPC, "no space left")


def test_the_mode_is_the_one_asked_for_whatever_the_umask_is(tmp_path: Path) -> None:
    path = tmp_path / "paniclog.ec"
    before = os.umask(0o077)
    try:
        PanicLog(str(path), FakeClock(7.0), 0o644).write("core", "up")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644
