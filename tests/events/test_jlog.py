"""jlog: the format as the project writes it, its readers' places, and writers which die or meet."""

import os
import struct
import subprocess
from pathlib import Path

import pytest

from angarium.events.jlog import HEAD, MAGIC, Jlog, JlogError, Place, Writer, record, whole

# Written by the project's own programs of 2024 on a machine of this byte order:
# jtest init -s master -j 60; jtest write -l 4 -n 4; jtest read -s master -n 1.
THEIRS = {
    "metastore": "010000003c0000000100000018733a66",
    "00000000": "18733a669a58076b12080c00040000005858580a"
    "18733a669a58076b3f080c00040000005858580a"
    "18733a669a58076b42080c00040000005858580a",
    "00000000.idx": "0000000000000000140000000000000028000000000000000000000000000000",
    "00000001": "18733a669a58076b79130c00040000005858580a",
    "cp.6d6173746572": "0000000001000000",
    "pre_commit": "00000000",
}


def lines(count: int, first: int = 0) -> list[bytes]:
    return [b"line %d\n" % number for number in range(first, first + count)]


def wrote(writer: Writer, messages: list[bytes]) -> None:
    left = list(messages)
    while left:
        del left[: writer.append(left, 1234567.25)]


START = Place(0, 0)


def read(jlog: Jlog, place: Place = START) -> list[bytes]:
    return [message for _, message in jlog.read(place)]


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    made = Writer(tmp_path / "queue", "me")
    made.limit = 100
    return made


def test_what_the_project_wrote_is_read_and_gone_on_with(tmp_path: Path) -> None:
    for name, octets in THEIRS.items():
        (tmp_path / name).write_bytes(bytes.fromhex(octets))
    jlog = Jlog(tmp_path)
    assert jlog.subscribers() == {"master": Place(0, 1)}
    assert read(jlog, Place(0, 1)) == [b"XXX\n"] * 3
    wrote(Writer(tmp_path), [b"ours\n"])
    assert [str(place) for place, _ in jlog.read(Place(0, 1))] == [
        "00000000:00000002",
        "00000000:00000003",
        "00000001:00000001",
        "00000001:00000002",
    ]


def test_a_record_is_a_header_and_the_message(writer: Writer) -> None:
    wrote(writer, [b"ab\n"])
    octets = writer.jlog.segment(0).read_bytes()
    assert octets == struct.pack("=IIII", MAGIC, 1234567, 250_000, 3) + b"ab\n"
    assert octets == record(b"ab\n", 1234567.25)
    meta = struct.pack("=IIII", 0, 100, 1, MAGIC)
    assert (writer.jlog.path / "metastore").read_bytes() == meta
    assert (writer.jlog.path / "cp.6d65").read_bytes() == struct.pack("=II", 0, 0)


def test_a_segment_which_is_full_is_followed_by_another(writer: Writer) -> None:
    wrote(writer, lines(12))
    assert writer.jlog.segments() == [0, 1, 2]
    assert writer.jlog.meta().segment == 2
    assert read(writer.jlog) == lines(12)
    assert writer.jlog.last() == Place(2, 2)


def test_what_all_have_read_is_removed_but_never_what_is_written(writer: Writer) -> None:
    wrote(writer, lines(12))
    jlog = writer.jlog
    assert jlog.subscribe("other")
    assert not jlog.subscribe("other")
    jlog.checkpoint("me", Place(2, 2))
    assert jlog.segments() == [0, 1, 2]
    assert jlog.pending(0) == 1
    jlog.checkpoint("other", Place(1, 3))
    assert jlog.segments() == [1, 2]
    assert jlog.unsubscribe("other")
    assert not jlog.unsubscribe("other")
    assert jlog.unsubscribe("me")
    assert jlog.clean() == [1]
    assert jlog.segments() == [2]


def test_two_writers_take_turns(writer: Writer) -> None:
    other = Writer(writer.jlog.path)
    for number in range(20):
        wrote(writer if number % 3 else other, lines(1, number))
    assert read(writer.jlog) == lines(20)
    assert list(writer.jlog.subscribers()) == ["master"]  # who came first had it so


def test_a_record_in_which_its_writer_was_killed_is_cut_by_the_next_one(writer: Writer) -> None:
    wrote(writer, lines(2))
    with writer.jlog.segment(0).open("ab") as file:
        file.write(record(b"never\n", 1.0)[:-3])
    assert read(writer.jlog) == lines(2)
    wrote(Writer(writer.jlog.path), lines(1, 2))
    wrote(writer, lines(1, 3))
    assert read(writer.jlog) == lines(4)


def test_a_disk_which_is_full_leaves_whole_records(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrote(writer, lines(1))
    real = os.pwrite
    calls = iter([5])

    def half_full(file: int, octets: bytes, at: int) -> int:
        if (left := next(calls, None)) is None:
            raise OSError(28, "No space left on device")
        return real(file, octets[:left], at)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", half_full)
        with pytest.raises(OSError, match="No space"):
            writer.append(lines(1, 1), 1.0)
    assert writer.jlog.segment(0).stat().st_size == HEAD + len(b"line 0\n")
    wrote(writer, lines(1, 1))
    assert read(writer.jlog) == lines(2)


def test_a_damaged_segment_is_told_where_more_follow(writer: Writer) -> None:
    wrote(writer, lines(12))
    with writer.jlog.segment(1).open("r+b") as file:
        file.seek(HEAD + 7)
        file.write(b"\0\0\0\0")
    with pytest.raises(JlogError, match="damaged"):
        read(writer.jlog)


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        (b"short", "metastore"),
        (struct.pack("=IIII", 0, 100, 1, 0x15106A02), "compressed"),
        (struct.pack(">IIII", 0, 100, 1, MAGIC), "no jlog of this machine"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, meta: bytes, said: str) -> None:
    (tmp_path / "metastore").write_bytes(meta)
    with pytest.raises(JlogError, match=said):
        Writer(tmp_path).open()


def test_only_whole_records_are_found() -> None:
    octets = record(b"a", 1.0) + record(b"", 1.0) + record(b"c", 1.0)[:-1]
    assert list(whole(octets)) == [(HEAD, HEAD + 1), (2 * HEAD + 1, 2 * HEAD + 1)]
    assert list(whole(b"")) == []


def test_who_may_read_the_files_may_enter_the_folder(tmp_path: Path) -> None:
    Writer(tmp_path / "a", mode=0o640).open()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "a" / "metastore").stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif("JLOGCTL" not in os.environ, reason="JLOGCTL names the project's program")
def test_the_project_reads_what_we_write(writer: Writer) -> None:
    """Run where the project's programs were built: JLOGCTL=/path/of/jlogctl."""
    wrote(writer, lines(12))
    path = writer.jlog.path

    def said(*words: str) -> str:
        command = [os.environ["JLOGCTL"], *words, str(path)]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        return ended.stdout + ended.stderr

    assert "me @ 00000000:00000000" in said("-s")
    assert "errors" not in said("-d", "-l")
    assert "next interval: [00000000:00000001, 00000000:00000005]" in said("-p", "me")
    said("-a", "theirs")
    assert writer.jlog.subscribers() == {"me": Place(0, 0), "theirs": Place(0, 0)}
    assert (path / "00000000.idx").stat().st_size == 6 * 8  # five records, and that it ended
    wrote(writer, lines(3, 12))
    assert read(writer.jlog) == lines(15)


def test_a_segment_is_never_seen_empty_and_ends_some_time_after_it_began(writer: Writer) -> None:
    # Else readers of the project, which look at files and metastore in turn, take it for lost.
    writer.open()
    assert writer.jlog.segments() == []
    assert writer.place == (0, 0, 0)
    left = lines(12)
    while left:
        before = writer.jlog.meta().segment
        taken = writer.append(left, 1.0)
        del left[:taken]
        segments = map(writer.jlog.segment, writer.jlog.segments())
        assert all(path.stat().st_size for path in segments)
        assert taken == 0 or writer.jlog.meta().segment == before
    assert not (writer.jlog.path / "begun").exists()


def test_one_who_begins_a_segment_which_another_has_begun_goes_on_there(writer: Writer) -> None:
    other = Writer(writer.jlog.path)
    writer.open()
    other.open()
    wrote(writer, lines(1))
    assert other.append(lines(1, 1), 1.0) == 0
    wrote(other, lines(1, 1))
    assert read(writer.jlog) == lines(2)
    wrote(writer, lines(12, 2))
    wrote(other, lines(1, 14))
    assert read(writer.jlog) == lines(15)
