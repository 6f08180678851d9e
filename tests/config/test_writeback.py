"""From memory to the files."""

import os
from pathlib import Path

import pytest

from angarium.config.load import load, snapshot
from angarium.config.workspace import Workspace
from angarium.config.writeback import BESIDE, TITLE, WritebackError, changed, write, write_to
from helpers.smalldisk import small_disk


@pytest.fixture(name="main")
def main_file(tmp_path: Path) -> Path:
    """A configuration of two files."""
    (tmp_path / "a.conf").write_text("# of a\nbinding b { }\n")
    main = tmp_path / "ecelerity.conf"
    main.write_text("retry_interval = 60 # why\ninclude a.conf\n")
    return main


def edited(main: Path) -> tuple[bytes, bytes]:
    """Return a snapshot, and one with a change in both files."""
    read = snapshot(main)
    workspace = Workspace(read)
    workspace.set([], "retry_interval", "70")
    workspace.set(["binding", "b"], "retry_interval", "80")
    return read, workspace.snapshot()


def names(main: Path) -> list[str]:
    return sorted(os.listdir(main.parent))


def test_changed_files_are_written_and_the_others_not_touched(main: Path) -> None:
    read = snapshot(main)
    workspace = Workspace(read)
    workspace.set([], "retry_interval", "70")
    before = (main.parent / "a.conf").stat()
    assert write(read, workspace.snapshot()) == [str(main)]
    assert main.read_text() == "retry_interval = 70 # why\ninclude a.conf\n"
    assert (main.parent / "a.conf").stat() == before
    assert snapshot(main) == workspace.snapshot()
    assert names(main) == ["a.conf", "ecelerity.conf"]


def test_the_same_writeback_again_does_nothing(main: Path) -> None:
    read, now = edited(main)
    assert len(write(read, now)) == 2
    assert write(read, now) == []
    assert changed(now, now) == []


def test_a_file_keeps_its_mode_and_owner(main: Path) -> None:
    main.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(main, 12345, 54321)
    owner = main.stat().st_uid, main.stat().st_gid
    write(*edited(main))
    assert main.stat().st_mode & 0o7777 == 0o604
    assert (main.stat().st_uid, main.stat().st_gid) == owner


def test_a_file_keeps_its_extended_attributes(main: Path) -> None:
    try:
        os.setxattr(main, "user.angarium", b"kept")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    write(*edited(main))
    assert os.getxattr(main, "user.angarium") == b"kept"


def test_of_a_symbolic_link_the_target_is_written(main: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "main"
    main.rename(real)
    main.symlink_to(real)
    assert str(real) in write(*edited(main))
    assert main.is_symlink()
    assert "= 70" in real.read_text()


@pytest.mark.parametrize("name", ["ecelerity.conf", "a.conf"])
def test_what_somebody_else_changed_is_not_overwritten_nor_is_the_rest(
    main: Path, name: str
) -> None:
    read, now = edited(main)
    (main.parent / name).write_text("retry_interval = 99\n")
    texts = [path.read_text() for path in sorted(main.parent.iterdir())]
    with pytest.raises(WritebackError, match=rf"{name} was changed since it was read"):
        write(read, now)
    assert [path.read_text() for path in sorted(main.parent.iterdir())] == texts


def test_a_file_which_is_gone_is_not_made_again(main: Path) -> None:
    read, now = edited(main)
    (main.parent / "a.conf").unlink()
    with pytest.raises(WritebackError, match=r"a\.conf is gone"):
        write(read, now)
    assert names(main) == ["ecelerity.conf"]


def test_the_file_of_local_changes_comes_into_being_like_the_main_file(main: Path) -> None:
    local = main.parent / "local.conf"
    main.write_text(f"local_changes_file = {local}\nlocal_changes_only = true\n")
    main.chmod(0o600)
    read = snapshot(main)
    workspace = Workspace(read)
    workspace.set([], "retry_interval", "70")
    assert write(read, workspace.snapshot()) == [str(local)]
    assert local.stat().st_mode & 0o777 == 0o600
    assert load(main).root.values["retry_interval"] == 70
    assert snapshot(main) == workspace.snapshot()


def test_who_is_not_root_makes_a_file_of_his_own_and_takes_none_of_others(
    main: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a server which runs as its own user, with a configuration of root."""

    def not_root(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if os.geteuid() != 0:
        pytest.skip("only root can give files to others")
    main.write_text(f'{main.read_text()}local_changes_file = "{main.parent}/changes.conf"\n')
    read = snapshot(main)
    workspace = Workspace(read)
    workspace.set(["binding", "c"], "retry_interval", "5")
    os.chown(main, 12345, 54321)
    monkeypatch.setattr(os, "fchown", not_root)
    changes = main.parent / "changes.conf"
    assert write(read, workspace.snapshot()) == [str(changes)]
    assert changes.stat().st_uid == 0
    workspace.set([], "retry_interval", "71")
    with pytest.raises(WritebackError, match=r"ecelerity\.conf cannot be written"):
        write(snapshot(main), workspace.snapshot())


def test_a_new_file_is_not_put_over_one_which_was_not_read(main: Path) -> None:
    local = main.parent / "local.conf"
    main.write_text(f"local_changes_file = {local}\nlocal_changes_only = true\n")
    read = snapshot(main)
    local.write_text("# came meanwhile\n")
    workspace = Workspace(read)
    workspace.set([], "retry_interval", "70")
    with pytest.raises(WritebackError, match=r"local\.conf exists, and was not there"):
        write(read, workspace.snapshot())
    assert local.read_text() == "# came meanwhile\n"


def test_where_there_is_no_directory_the_file_is_named(main: Path) -> None:
    main.write_text('local_changes_file = "/nonexistent/local.conf"\nlocal_changes_only = true\n')
    read = snapshot(main)
    workspace = Workspace(read)
    workspace.set([], "retry_interval", "70")
    with pytest.raises(WritebackError, match=r"/nonexistent/local\.conf cannot be written"):
        write(read, workspace.snapshot())


def test_a_file_we_may_not_write_is_refused_though_its_directory_would_let_us(
    main: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, now = edited(main)
    monkeypatch.setattr(os, "access", lambda path, mode: not path.endswith("a.conf"))
    with pytest.raises(WritebackError, match=r"a\.conf may not be written to"):
        write(read, now)
    assert snapshot(main) == read


def test_on_a_full_disk_nothing_is_written(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", octets=1 << 20) as disk:
        main = disk.path / "ecelerity.conf"
        main.write_text("# " + "x" * 300_000 + "\nretry_interval = 60\n")
        read = snapshot(main)
        workspace = Workspace(read)
        workspace.set([], "retry_interval", "70")
        disk.fill(leave=100_000)
        with pytest.raises(WritebackError, match="No space left"):
            write(read, workspace.snapshot())
        assert snapshot(main) == read
        assert names(main) == ["ballast", "ecelerity.conf"]
        disk.free()
        assert write(read, workspace.snapshot()) == [str(main)]


@pytest.mark.parametrize("fails_at", range(2))
def test_a_rename_which_fails_takes_those_before_it_back(
    main: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    read, now = edited(main)
    rename, count = os.rename, iter(range(10))

    def failing(old: str, new: str) -> None:
        if next(count) == fails_at:
            raise OSError(5, "Input/output error")
        rename(old, new)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(WritebackError, match="Input/output error"):
        write(read, now)
    assert snapshot(main) == read
    assert names(main) == ["a.conf", "ecelerity.conf"]


def test_an_edit_between_check_and_rename_is_seen(
    main: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, now = edited(main)
    fsync = os.fsync

    def somebody_edits(handle: int) -> None:
        fsync(handle)
        (main.parent / "a.conf").write_text("# mine\n")

    monkeypatch.setattr(os, "fsync", somebody_edits)
    with pytest.raises(WritebackError, match="was changed since it was read"):
        write(read, now)
    assert (main.parent / "a.conf").read_text() == "# mine\n"
    assert "= 60" in main.read_text()
    assert not [each for each in names(main) if each.endswith(BESIDE)]


def test_the_whole_is_written_into_one_file(main: Path) -> None:
    _, now = edited(main)
    path = main.parent / "whole.conf"
    write_to(str(path), now)
    assert path.read_bytes().startswith(TITLE)
    conf = load(path)
    assert conf.root.values["retry_interval"] == 70
    assert conf.root.get("binding", "b") is not None
    assert path.stat().st_mode == main.stat().st_mode
    write_to(str(path), now)


def test_the_whole_is_put_over_nothing_else(main: Path) -> None:
    _, now = edited(main)
    with pytest.raises(WritebackError, match="was not written by `config writeback`"):
        write_to(str(main), now)
    with pytest.raises(WritebackError, match="no absolute path"):
        write_to("whole.conf", now)
    with pytest.raises(WritebackError, match="cannot be read: Is a directory"):
        write_to(str(main.parent), now)
    assert "= 60" in main.read_text()
