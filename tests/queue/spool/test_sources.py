"""Files in a directory: which are messages, and that nothing else is read or removed."""

import os
from pathlib import Path

import pytest

from angarium.queue.spool import sources
from angarium.queue.spool.sources import SourceError


def listed(folder: Path, share: int = 0, of: int = 1) -> set[str]:
    return {each for each in sources.names(folder, share, of) if each is not None}


def test_only_files_are_listed_which_are_whole(tmp_path: Path) -> None:
    for name in ("a", "b.eml", ".hidden", "c.tmp", "d.part"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    os.mkfifo(tmp_path / "pipe")
    assert listed(tmp_path) == {"a", "b.eml"}


def test_shares_are_all_files_once(tmp_path: Path) -> None:
    names = {f"{number}.eml" for number in range(50)}
    for name in names:
        (tmp_path / name).touch()
    shares = [listed(tmp_path, share, 3) for share in range(3)]
    assert set.union(*shares) == names
    assert sum(map(len, shares)) == 50
    assert all(shares)


def test_a_link_or_a_pipe_is_not_read_whoever_put_it_there(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "one")
    os.mkfifo(tmp_path / "pipe")
    assert sources.read(str(tmp_path / "one")).octets == b"x"
    with pytest.raises(OSError, match="link"):
        sources.read(str(tmp_path / "link"))
    with pytest.raises(SourceError, match="no file"):
        sources.read(str(tmp_path / "pipe"))


def test_a_file_which_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "one").open("wb") as file:
        file.truncate(sources.MAX_OCTETS + 1)
    with pytest.raises(SourceError, match="too large"):
        sources.read(str(tmp_path / "one"))


def test_what_has_the_name_since_is_not_removed(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in ("1", "2", "3"))
    for each in (first, second, third):
        each.write_bytes(b"old")
    read = [(found.path, found.inode) for found in map(sources.read, map(str, (first, second)))]
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "new").rename(second)
    assert sources.remove([*read, (str(tmp_path / "gone"), 1)]) == []
    assert not first.exists()
    assert second.read_bytes() == b"new"
    assert third.exists()


def test_a_directory_has_to_be_named_whole_and_be_there(tmp_path: Path) -> None:
    assert sources.folders(tmp_path) == [tmp_path]
    with pytest.raises(SourceError, match="whole path"):
        sources.folders(Path("drop"))
    with pytest.raises(SourceError, match="no such directory"):
        sources.folders(tmp_path / "nowhere")
    for name in ("new", "cur"):
        (tmp_path / name).mkdir()
    assert sources.folders(tmp_path) == [tmp_path / "new", tmp_path / "cur"]


def test_when_a_file_was_changed_is_told_while_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "one").touch()
    os.utime(tmp_path / "one", (5, 7))
    assert sources.changed(str(tmp_path / "one")) == 7.0
    assert sources.changed(str(tmp_path / "two")) == 0.0
