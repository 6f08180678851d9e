"""A file of records: header, names, and what a directory holds."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from angarium.journal import segment as segments
from angarium.journal.errors import DamageError, FormatError
from angarium.journal.record import encode
from angarium.journal.segment import (
    CUT,
    HEADER_SIZE,
    Segment,
    encode_header,
    name_of,
    read_header,
    sequence_of,
    survey,
)
from helpers.disk import MemoryDisk

whole = st.integers(0, 2**64 - 1)


@given(st.integers(0, 2**32 - 1), whole, whole, whole, st.integers(0, 3), whole)
def test_a_header_comes_back(
    sequence: int, nonce: int, first: int, floor: int, flags: int, mark: int
) -> None:
    written = Segment(sequence, nonce, first, floor, flags, mark, 12.5)
    octets = encode_header(written, "data")
    assert len(octets) == HEADER_SIZE
    assert read_header(octets, "data") == written


@given(st.binary(max_size=200))
def test_any_octets_are_a_header_or_none(octets: bytes) -> None:
    assert read_header(octets, "data") is None


def test_a_newer_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "FORMAT", 2)
    octets = encode_header(Segment(1, 2, 3, 2), "data")
    monkeypatch.setattr(segments, "FORMAT", 1)
    with pytest.raises(FormatError, match="newer Angarium"):
        read_header(octets, "data")


def test_a_segment_of_another_log_is_refused() -> None:
    with pytest.raises(DamageError, match="another log"):
        read_header(encode_header(Segment(1, 2, 3, 2), "state"), "data")


def test_names_sort_as_sequences() -> None:
    assert sequence_of(name_of(7)) == 7
    assert name_of(99) < name_of(100)
    assert sequence_of("7.seg") is None
    assert sequence_of("reserve") is None


def _file(disk: MemoryDisk, name: str, octets: bytes) -> None:
    handle = disk.open(f"/log/{name}", create=True)
    disk.write(handle, [octets], 0)
    disk.close(handle)


@pytest.fixture
def disk() -> MemoryDisk:
    disk = MemoryDisk()
    disk.make_dir("/log")
    for sequence in (1, 2):
        segment = Segment(sequence, sequence * 11, sequence * 100, sequence * 100 - 1)
        record = encode(sequence * 11, sequence * 100, 1, 16, b"x")
        _file(disk, name_of(sequence), encode_header(segment, "data") + record)
    return disk


def test_a_survey_finds_segments_in_order_and_what_may_be_used_again(disk: MemoryDisk) -> None:
    _file(disk, "spare-0000000001", b"")
    _file(disk, "reserve", b"")
    found = survey(disk, "/log", "data")
    assert [each.sequence for each in found.segments] == [1, 2]
    assert (found.unused, found.highest) == (["spare-0000000001"], 2)


def test_a_file_renamed_and_not_begun_is_no_segment(disk: MemoryDisk) -> None:
    disk.rename(f"/log/{name_of(1)}", f"/log/{name_of(3)}")
    found = survey(disk, "/log", "data")
    assert [each.sequence for each in found.segments] == [2]
    assert (found.unused, found.highest) == ([name_of(3)], 3)


def test_a_segment_which_lost_its_header_is_known_by_its_records(disk: MemoryDisk) -> None:
    disk.damage(f"/log/{name_of(2)}", 20, b"\xff" * 30)
    found = survey(disk, "/log", "data")
    assert [(each.sequence, each.nonce, each.first) for each in found.segments] == [
        (1, 11, 100), (2, 22, 200),
    ]  # fmt: skip
    assert found.headless == [found.segments[1]]
    assert found.segments[1].flags & CUT


def test_old_records_behind_a_torn_header_are_not_taken_for_new_ones(disk: MemoryDisk) -> None:
    """The file was a segment once, with lower numbers; its new header was half written."""
    disk.rename(f"/log/{name_of(1)}", f"/log/{name_of(3)}")
    disk.damage(f"/log/{name_of(3)}", 20, b"\xff" * 30)
    assert [each.sequence for each in survey(disk, "/log", "data").segments] == [2]
