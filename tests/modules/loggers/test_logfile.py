"""A text log: batches, rotation under it, undoing, a full disk."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from angarium.config.errors import ConfigError
from angarium.config.load import load_text
from angarium.core.errors import Error
from angarium.events.checkpoint import File
from angarium.modules.loggers.logfile import LogFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mainlog.ec"


def written(log: LogFile, *lines: bytes) -> None:
    log.add(lines)
    assert log.flush()


def test_lines_are_appended(path: Path) -> None:
    path.write_text("old\n")
    log = LogFile(str(path), path.parent)
    written(log, b"a", b"b")
    written(log, b"c")
    assert path.read_text() == "old\na\nb\nc\n"
    assert not log.flush()


@pytest.mark.parametrize("destination", ["{}", "file://{}"])
def test_a_destination_is_a_path_or_a_file_url(path: Path, destination: str) -> None:
    written(LogFile(destination.format(path), Path("/nowhere")), b"a")
    assert path.read_text() == "a\n"


def test_a_relative_path_is_below_the_state_directory(tmp_path: Path) -> None:
    written(LogFile("log/mainlog.ec", tmp_path), b"a")
    assert (tmp_path / "log" / "mainlog.ec").read_text() == "a\n"


def test_a_destination_which_is_no_file_is_not_taken_for_one() -> None:
    with pytest.raises(Error, match="no file"):
        LogFile("jlog:///x=>master", Path())


@pytest.mark.parametrize(
    "destination", ["ftp:///x", "jlog://", "pipe://cat", "syslog://?facility=x"]
)
def test_destinations_we_do_not_have_are_refused(destination: str) -> None:
    with pytest.raises(ConfigError, match=r"ecelerity\.conf:1:\d+: mainlog: "):
        load_text(f'ec_logger {{ mainlog = "{destination}" }}')


def test_the_mode_is_that_of_the_option_whatever_the_umask(path: Path) -> None:
    before = os.umask(0o077)
    try:
        written(LogFile(str(path), path.parent, 0o644), b"a")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


def test_what_a_checkpoint_does_not_know_is_undone(path: Path) -> None:
    log = LogFile(str(path), path.parent)
    written(log, b"known")
    state = log.state
    assert state is not None
    written(log, b"unknown")
    log.close()
    again = LogFile(str(path), path.parent)
    assert again.restore(state) == len(b"unknown\n")
    assert path.read_text() == "known\n"
    assert again.restore(state) == 0


def test_it_is_undone_in_the_renamed_file_too(path: Path) -> None:
    log = LogFile(str(path), path.parent)
    written(log, b"known")
    state = log.state
    assert state is not None
    written(log, b"unknown")
    path.rename(f"{path}.1")
    path.write_text("somebody else's\n")
    again = LogFile(str(path), path.parent)
    assert again.restore(state) == len(b"unknown\n")
    assert Path(f"{path}.1").read_text() == "known\n"
    assert path.read_text() == "somebody else's\n"


def test_a_file_that_is_gone_has_nothing_to_undo(path: Path) -> None:
    log = LogFile(str(path), path.parent)
    written(log, b"a")
    state = log.state
    assert state is not None
    path.unlink()
    assert log.restore(state) == 0


def test_a_file_truncated_by_others_is_appended_to(path: Path) -> None:
    log = LogFile(str(path), path.parent)
    written(log, b"a" * 100)
    os.truncate(path, 0)  # copytruncate
    written(log, b"b")
    assert path.read_text() == "b\n"
    assert log.state is not None
    assert log.state.size == 2


class FullDisk:
    """Takes so many octets, then is full until somebody makes room."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, file: int, octets: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "no space left on device")
        taken = os.write(file, octets[: self.room])
        self.room -= taken
        return taken


def test_what_a_full_disk_does_not_take_waits(path: Path) -> None:
    disk = FullDisk(3)
    log = LogFile(str(path), path.parent, write=disk.write)
    log.add([b"first", b"second"])
    with pytest.raises(OSError, match="no space"):
        log.flush()
    assert path.read_text() == "fir"
    with pytest.raises(OSError, match="no space"):
        log.flush()
    disk.room = 1000
    assert log.flush()
    assert path.read_text() == "first\nsecond\n"


def test_an_open_log_goes_on_in_a_renamed_file_until_it_is_reopened(path: Path) -> None:
    log = LogFile(str(path), path.parent)
    written(log, b"a")
    path.rename(f"{path}.1")
    written(log, b"b")
    log.close()
    log.open()
    written(log, b"c")
    assert Path(f"{path}.1").read_text() == "a\nb\n"
    assert path.read_text() == "c\n"


def test_sync_follows_what_was_written(path: Path) -> None:
    log = LogFile(str(path), path.parent)
    log.sync()
    written(log, b"a")
    log.sync()
    log.sync()
    assert path.read_text() == "a\n"


def test_what_a_killed_hose_has_written_is_synced_and_so_is_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint relies on both, though this process has written nothing."""
    synced: set[str] = set()
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda file: synced.add(os.readlink(f"/proc/self/fd/{file}")))
    path.write_text("by a hose which was killed\n")
    log = LogFile(str(path), path.parent)
    log.open()
    log.sync()
    assert {str(path), str(path.parent)} <= synced


def test_what_is_undone_in_a_renamed_log_is_synced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}"))
    )
    renamed = path.with_name("mainlog.ec.1")
    renamed.write_text("known\n")
    known = File(renamed.stat().st_ino, 6)
    assert LogFile(str(path), path.parent).restore(known) == 0
    assert synced == [str(renamed)]


def copied(path: Path, lines: bytes) -> Path:
    """Return a copy of the directory, with other inodes, and more in the log."""
    folder = path.parent / "copy"
    folder.mkdir()
    shutil.copy(path, folder)
    with (folder / path.name).open("ab") as file:
        file.write(lines)
    return folder / path.name


def test_in_a_copy_of_the_directory_it_is_undone_too(path: Path) -> None:
    log = LogFile(str(path), path.parent)
    written(log, b"a", b"b" * 100)
    known = log.state
    assert known is not None
    copy = copied(path, b"not known\n")
    assert LogFile(str(copy), path.parent).restore(known) == 10
    assert copy.read_bytes() == path.read_bytes()


def test_an_inode_of_another_file_system_cuts_no_other_log(path: Path) -> None:
    log = LogFile(str(path), path.parent)
    written(log, b"a", b"b")
    known = log.state
    assert known is not None
    copy = copied(path, b"c\n")
    rotated = copy.with_name(f"{copy.name}.1")
    rotated.write_bytes(b"older lines\nof another day\n")
    mixed = File(rotated.stat().st_ino, known.size, known.tail)
    LogFile(str(copy), path.parent).restore(mixed)
    assert rotated.read_bytes() == b"older lines\nof another day\n"
    assert copy.read_bytes() == b"a\nb\n"


def test_a_log_that_is_no_file_is_not_read(tmp_path: Path) -> None:
    log = LogFile("/dev/null", tmp_path)
    written(log, b"a")
    assert log.state is not None
    assert log.state.size == 0
