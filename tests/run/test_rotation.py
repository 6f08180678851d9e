"""Rotation by renaming: no line and no name is lost, whatever happens in between."""

import bz2
import gzip
import lzma
import os
from pathlib import Path

import pytest

from angarium.run import rotation
from angarium.run.rotation import (
    COMPRESSORS,
    RotationError,
    at_rest,
    compress,
    only,
    rotate,
    waiting,
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "mainlog.ec"


def names(log: Path) -> list[str]:
    return sorted(each.name for each in log.parent.iterdir())


def test_each_log_becomes_one_older(log: Path) -> None:
    for text in ("one", "two", "three"):
        log.write_text(text)
        assert rotate(log, 7)
    assert names(log) == ["mainlog.ec.1", "mainlog.ec.2", "mainlog.ec.3"]
    assert (log.parent / "mainlog.ec.3").read_text() == "one"
    assert (log.parent / "mainlog.ec.1").read_text() == "three"


def test_only_so_many_are_kept_and_nothing_else_is_touched(log: Path) -> None:
    for name in ("mainlog.ec.old", "mainlog.ec.x.1", "mainlog.ec.01", "mainlog.ec2.1"):
        (log.parent / name).write_text("other")
    for text in ("one", "two", "three", "four"):
        log.write_text(text)
        rotate(log, 2)
    assert [each for each in names(log) if each[11:].isdigit()] == ["mainlog.ec.01",
                                                                    "mainlog.ec.1",
                                                                    "mainlog.ec.2"]  # fmt: skip
    assert len(names(log)) == 6
    assert (log.parent / "mainlog.ec.2").read_text() == "three"


def test_what_is_empty_or_missing_or_no_file_is_left_alone(log: Path, tmp_path: Path) -> None:
    assert not rotate(log, 7)
    log.touch()
    assert not rotate(log, 7)
    log.unlink()
    log.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("x")
    assert not rotate(log, 7)
    assert log.is_symlink()


def test_a_gap_of_a_crash_is_filled(log: Path) -> None:
    (log.parent / "mainlog.ec.1.bz2").write_text("b")
    (log.parent / "mainlog.ec.3").write_text("c")
    log.write_text("a")
    assert rotate(log, 7)
    assert names(log) == ["mainlog.ec.1", "mainlog.ec.2.bz2", "mainlog.ec.3"]
    assert (log.parent / "mainlog.ec.3").read_text() == "c"


@pytest.mark.parametrize("crash", range(4))
def test_a_crash_at_any_rename_loses_nothing(
    log: Path, crash: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("one", "two", "three"):
        log.write_text(text)
        rotate(log, 9)
    log.write_text("four")
    real = os.rename
    done = iter(range(100))

    def failing(old: Path, new: Path) -> None:
        if next(done) == crash:
            raise OSError("the power goes")
        real(old, new)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OSError, match="power"):
        rotate(log, 9)
    monkeypatch.setattr(os, "rename", real)
    if not log.exists():
        log.write_text("five")
    rotate(log, 9)
    texts = {each.read_text() for each in log.parent.iterdir()}
    assert {"one", "two", "three", "four"} <= texts


@pytest.mark.parametrize(
    ("name", "opened"), [("bzip2", bz2.open), ("gzip", gzip.open), ("xz", lzma.open)]
)
def test_a_copy_is_what_the_file_was(log: Path, name: str, opened: type) -> None:
    octets = b"a line of a log\n" * 200_000
    log.write_bytes(octets)
    log.chmod(0o640)
    rotate(log, 7)
    [path] = waiting(log)
    before = path.stat()
    copy = compress(path, COMPRESSORS[name])
    assert copy.name == "mainlog.ec.1" + COMPRESSORS[name].suffix
    with opened(copy) as file:
        assert file.read() == octets
    assert copy.stat().st_mode == before.st_mode
    assert copy.stat().st_mtime_ns == before.st_mtime_ns
    assert names(log) == [copy.name]
    assert waiting(log) == []


def test_a_copy_which_was_cut_off_is_made_anew(log: Path) -> None:
    log.write_text("lines")
    rotate(log, 7)
    (log.parent / "mainlog.ec.1.bz2.rotating").write_bytes(b"half")
    compress(waiting(log)[0], COMPRESSORS["bzip2"])
    assert names(log) == ["mainlog.ec.1.bz2"]


def test_a_crash_before_the_plain_one_goes_leaves_the_copy(log: Path) -> None:
    (log.parent / "mainlog.ec.1").write_text("lines")
    (log.parent / "mainlog.ec.1.bz2").write_bytes(bz2.compress(b"lines"))
    assert waiting(log) == []
    assert names(log) == ["mainlog.ec.1.bz2"]


def test_what_is_written_meanwhile_stays_plain(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write_text("lines")
    rotate(log, 7)
    [path] = waiting(log)

    class Slow:
        def compress(self, octets: bytes) -> bytes:
            with path.open("a") as file:
                file.write("more")
            return octets

        def flush(self) -> bytes:
            return b""

    with pytest.raises(RotationError):
        compress(path, rotation.Compressor(".slow", Slow))
    assert path.read_text() == "linesmore"
    assert names(log) == ["mainlog.ec.1"]


def test_a_full_disk_leaves_the_file(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write_text("lines")
    rotate(log, 7)

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        compress(waiting(log)[0], COMPRESSORS["gzip"])
    assert names(log) == ["mainlog.ec.1"]


def test_who_has_it_open_for_writing_is_waited_for(log: Path) -> None:
    log.write_text("lines")
    with log.open("a"):
        assert not at_rest(log, set)
    with log.open():
        assert at_rest(log, set)
    assert at_rest(log, set)


def test_what_a_reader_would_go_back_to_is_waited_for(log: Path) -> None:
    log.write_text("lines")
    assert not at_rest(log, lambda: {log.stat().st_ino})
    assert at_rest(log, lambda: {log.stat().st_ino + 1})


def test_links_are_not_followed(log: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (tmp_path / "mainlog.ec.1").symlink_to(secret)
    assert waiting(log) == []
    with pytest.raises(OSError, match="symbolic"):
        at_rest(tmp_path / "mainlog.ec.1", set)
    with pytest.raises(OSError, match="symbolic"):
        compress(tmp_path / "mainlog.ec.1", COMPRESSORS["gzip"])
    (tmp_path / "mainlog.ec.1").unlink()
    log.write_text("x")
    rotate(log, 7)
    (tmp_path / "mainlog.ec.1.gz").symlink_to(secret)
    with pytest.raises(RotationError):
        compress(tmp_path / "mainlog.ec.1", COMPRESSORS["gzip"])
    assert secret.read_text() == "secret"


def test_only_one_rotates_in_a_directory(tmp_path: Path) -> None:
    with only(tmp_path), pytest.raises(RotationError), only(tmp_path):
        pass
    with only(tmp_path):
        pass


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_root_works_as_the_owner_of_the_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1234)
    with only(tmp_path):
        assert (os.geteuid(), os.getegid()) == (1234, 1234)
    assert (os.geteuid(), os.getegid()) == (0, 0)
