"""What is remembered of the configurations which were in force."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from angarium.config.history import MAX_CHANGES, Entry, History, HistoryError
from angarium.config.load import text_hash
from angarium.config.options import Changes


def history(folder: Path, **limits: int) -> History:
    clock = iter(range(1000, 2000))
    return History(str(folder / "config"), Changes.make(**limits), lambda: float(next(clock)))


def test_a_configuration_is_kept_with_who_when_how_and_what(tmp_path: Path) -> None:
    kept = history(tmp_path)
    assert kept.revisions() == []
    assert kept.record(b"one", "root", "start") == 1
    assert kept.record(b"two" * 1000, "anna", "console", ["a: 1 -> 2", "b: 3 -> 4"]) == 2
    first, second = kept.revisions()
    assert (first.revision, first.who, first.how, first.when) == (1, "root", "start", 1000.0)
    assert second.changes == ("a: 1 -> 2", "b: 3 -> 4")
    assert (second.total, second.size, second.hash) == (2, 3000, text_hash(b"two" * 1000))
    assert kept.snapshot(1) == b"one"
    assert kept.snapshot(2) == b"two" * 1000
    assert kept.notes == ()


def test_the_same_configuration_is_not_kept_twice_in_a_row(tmp_path: Path) -> None:
    kept = history(tmp_path)
    assert [kept.record(each, "root", "reload") for each in (b"a", b"a", b"b", b"a")] == [
        1,
        1,
        2,
        3,
    ]


def test_another_process_reads_what_was_kept(tmp_path: Path) -> None:
    history(tmp_path).record(b"a", "root", "start")
    later = history(tmp_path)
    assert later.record(b"b", "root", "start") == 2
    assert [each.revision for each in History(str(tmp_path / "config")).revisions()] == [1, 2]


@pytest.mark.effect("config_history")
def test_only_so_many_are_kept_and_no_number_comes_twice(tmp_path: Path) -> None:
    kept = history(tmp_path, config_history=2)
    for number in range(5):
        kept.record(b"%d" % number, "root", "reload")
    assert [each.revision for each in kept.revisions()] == [4, 5]
    assert kept.snapshot(5) == b"4"
    with pytest.raises(HistoryError, match="no revision 3"):
        kept.snapshot(3)


@pytest.mark.effect("config_history_size")
def test_only_so_many_octets_are_kept_but_always_the_newest(tmp_path: Path) -> None:
    kept = history(tmp_path, config_history_size=2500)
    for _ in range(4):
        kept.record(os.urandom(1000), "root", "reload")
    assert [each.revision for each in kept.revisions()] == [3, 4]
    kept.record(os.urandom(9000), "root", "reload")
    assert [each.revision for each in kept.revisions()] == [5]


def test_nobody_else_may_read_the_files(tmp_path: Path) -> None:
    history(tmp_path).record(b"secret", "root", "start")
    assert (tmp_path / "config").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "config" / "000001.rev").stat().st_mode & 0o777 == 0o600


def test_a_list_reads_no_text(tmp_path: Path) -> None:
    kept = history(tmp_path)
    kept.record(os.urandom(5000), "root", "start")
    path = tmp_path / "config" / "000001.rev"
    path.write_bytes(path.read_bytes()[:1000])
    assert [each.size for each in kept.revisions()] == [5000]
    with pytest.raises(HistoryError, match="damaged"):
        kept.snapshot(1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 400), st.integers(0, 255))
def test_a_torn_or_changed_file_is_told_and_never_believed(
    tmp_path: Path, at: int, octet: int
) -> None:
    folder = tmp_path / f"{at}-{octet}"
    kept = history(folder)
    kept.record(b"first", "root", "start")
    kept.record(b"second", "root", "reload", ["a: 1 -> 2"])
    path = folder / "config" / "000002.rev"
    whole = path.read_bytes()
    for damaged in (whole[:at], whole[:at] + bytes([octet]) + whole[at + 1 :]):
        path.write_bytes(damaged)
        listed = [each.revision for each in kept.revisions()]
        try:
            assert kept.snapshot(2) == b"second"
            assert listed == [1, 2]
        except HistoryError:
            assert damaged != whole
        assert listed in ([1], [1, 2])
        assert len(kept.notes) == 2 - len(listed)


def test_after_a_torn_file_history_goes_on(tmp_path: Path) -> None:
    kept = history(tmp_path)
    kept.record(b"a", "root", "start")
    kept.record(b"b", "root", "start")
    (tmp_path / "config" / "000002.rev").write_bytes(b"ANGA")
    (tmp_path / "config" / "000003.rev.new").write_bytes(b"left by a crash")
    (tmp_path / "config" / "notes.txt").write_bytes(b"of an operator")
    assert kept.record(b"b", "root", "start") == 3
    assert [each.revision for each in kept.revisions()] == [1, 3]
    assert kept.notes == (f"{tmp_path}/config/000002.rev is damaged: it is none of these files",)
    assert sorted(os.listdir(tmp_path / "config")) == [
        "000001.rev", "000002.rev", "000003.rev", "notes.txt"
    ]  # fmt: skip


def test_many_changes_are_counted_and_some_are_kept(tmp_path: Path) -> None:
    kept = history(tmp_path)
    kept.record(b"a", "root", "start", ["x" * 10_000] * (MAX_CHANGES + 5))
    (entry,) = kept.revisions()
    assert entry.total == MAX_CHANGES + 5
    assert len(entry.changes) == MAX_CHANGES


def test_what_cannot_be_written_is_an_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = history(tmp_path)
    kept.record(b"a", "root", "start")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HistoryError, match="is not kept: No space left"):
        kept.record(b"b", "root", "reload")
    assert os.listdir(tmp_path / "config") == ["000001.rev"]
    assert [each.revision for each in kept.revisions()] == [1]


def test_a_folder_which_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(b"a file where the directory should be")
    with pytest.raises(HistoryError, match="cannot be read: Not a directory"):
        history(tmp_path).record(b"a", "root", "start")


def test_a_later_version_is_left_alone(tmp_path: Path) -> None:
    kept = history(tmp_path)
    kept.record(b"a", "root", "start")
    path = tmp_path / "config" / "000001.rev"
    octets = bytearray(path.read_bytes())
    octets[8] = 2
    path.write_bytes(octets)
    with pytest.raises(HistoryError, match="another version"):
        kept.entry(1)
    assert isinstance(kept.entry(kept.record(b"b", "root", "start")), Entry)
