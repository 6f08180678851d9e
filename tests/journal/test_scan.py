"""Reading a segment through whatever happened to it."""

from dataclasses import dataclass, field
from zlib import crc32

import hypothesis.strategies as st
from hypothesis import given

from angarium.journal import scan as scans
from angarium.journal.record import END, encode
from angarium.journal.scan import Found, Outcome, Scan, complete, quarantine
from angarium.journal.segment import HEADER_SIZE, SEARCH, Segment
from helpers.disk import MemoryDisk

NONCE = 77
KIND = 16


@dataclass
class File:
    """A segment's file as a test wants it: records, and where they begin."""

    octets: bytearray = field(default_factory=lambda: bytearray(HEADER_SIZE))
    begins: list[int] = field(default_factory=list)

    def add(self, number: int, synced: int, run: bytes = b"", kind: int = KIND) -> "File":
        self.begins.append(len(self.octets))
        meta = b"record %d" % number
        self.octets += encode(NONCE, number, number - synced, kind, meta, len(run), crc32(run))
        self.octets += run
        return self

    def scan(
        self, *, synced: int = 0, ceiling: int = 1 << 64, follows: bool = False
    ) -> tuple[list[int], Outcome]:
        disk = MemoryDisk()
        handle = disk.open("/x", create=True)
        disk.write(handle, [bytes(self.octets)], 0)
        taken: list[Found] = []
        segment = Segment(1, NONCE, 1, 0)
        scan = Scan(
            disk, handle, segment, taken.append, synced=synced, ceiling=ceiling, follows=follows
        )
        outcome = complete(scan.run())
        assert all(each.meta == b"record %d" % each.number for each in taken)
        return [each.number for each in taken], outcome


def three(run: bytes = b"") -> File:
    return File().add(1, 0, run).add(2, 1, run).add(3, 2, run)


def test_records_come_in_order_with_their_places() -> None:
    numbers, outcome = three(run=b"content").scan()
    assert numbers == [1, 2, 3]
    assert (outcome.last, outcome.synced, outcome.gaps, outcome.ended) == (3, 2, [], False)


def test_what_was_never_synced_may_be_torn() -> None:
    file = three()
    file.octets[file.begins[2] + 50] ^= 1
    numbers, outcome = file.scan()
    assert (numbers, outcome.gaps) == ([1, 2], [])


def test_a_torn_run_of_an_unsynced_record_is_seen() -> None:
    file = three(run=b"content")
    file.octets[-1] ^= 1
    assert file.scan()[0] == [1, 2]


def test_runs_of_synced_records_are_not_read() -> None:
    file = three(run=b"content")
    file.octets[file.begins[1] - 1] ^= 1
    assert file.scan()[0] == [1, 2, 3]


def test_behind_a_tear_nothing_counts() -> None:
    """The device wrote the third of three unsynced records, and not the second."""
    file = File().add(1, 0).add(2, 0).add(3, 0)
    file.octets[file.begins[1] : file.begins[2]] = bytes(file.begins[2] - file.begins[1])
    numbers, outcome = file.scan()
    assert (numbers, outcome.gaps) == ([1], [])


def test_damage_is_stepped_over_and_told() -> None:
    file = File().add(1, 0).add(2, 1).add(3, 2).add(4, 3)
    file.octets[file.begins[1] + 3] ^= 1
    numbers, outcome = file.scan()
    assert numbers == [1, 3, 4]
    assert [(gap.start, gap.end) for gap in outcome.gaps] == [(file.begins[1], file.begins[2])]


def test_a_later_trip_shows_what_the_rest_of_the_damaged_one_cannot() -> None:
    """Three records of one trip, then one of the next, which knows that they were synced."""
    file = File().add(1, 0).add(2, 1).add(3, 1).add(4, 1).add(5, 4)
    file.octets[file.begins[1] + 3] ^= 1
    numbers, outcome = file.scan()
    assert numbers == [1, 3, 4, 5]
    assert [(gap.start, gap.end) for gap in outcome.gaps] == [(file.begins[1], file.begins[2])]


def test_a_lost_tail_is_damage_if_somebody_knows_that_it_was_synced() -> None:
    file = three()
    del file.octets[file.begins[2] :]
    assert file.scan(synced=2)[1].gaps == []
    assert len(file.scan(synced=3)[1].gaps) == 1


def test_a_lost_tail_is_damage_if_the_segment_was_closed() -> None:
    closed = three().add(3, 2, kind=END)
    assert closed.scan(follows=True)[1].gaps == []
    del closed.octets[closed.begins[3] :]
    assert len(closed.scan(follows=True)[1].gaps) == 1


def test_a_closed_segment_which_another_follows_was_synced_whole() -> None:
    file = File().add(1, 0, b"run").add(2, 0, b"run").add(2, 0, kind=END)
    file.octets[file.begins[1] - 1] ^= 1
    assert file.scan(follows=True)[0] == [1, 2]
    assert file.scan()[0] == [], "its sync failed, and the power went"


def test_what_is_above_the_ceiling_is_void() -> None:
    numbers, outcome = three().scan(ceiling=2)
    assert (numbers, outcome.gaps) == ([1, 2], [])


def test_records_of_the_file_before_are_none() -> None:
    file = File().add(1, 0)
    file.octets += encode(NONCE + 1, 2, 1, KIND, b"record 2")
    assert file.scan()[0] == [1]


def test_a_body_that_looks_like_a_record_is_none() -> None:
    file = File().add(1, 0, run=encode(NONCE + 5, 9, 1, KIND, b"record 9")).add(2, 1)
    assert file.scan()[0] == [1, 2]


@given(st.data())
def test_any_damage_ends_in_fewer_records_and_no_other(data: st.DataObject) -> None:
    file = File().add(1, 0, b"x" * 40).add(2, 1).add(3, 2, b"y" * 90).add(4, 3)
    at = data.draw(st.integers(HEADER_SIZE, len(file.octets) - 1))
    junk = data.draw(st.binary(min_size=1, max_size=80))
    file.octets[at : at + len(junk)] = junk
    numbers, _ = file.scan()
    assert numbers == sorted(set(numbers) & {1, 2, 3, 4})


def test_a_record_is_found_across_the_pieces_of_a_search() -> None:
    file = File().add(1, 0)
    file.octets += bytes(SEARCH - 20)
    file.add(3, 2)
    assert file.scan()[0] == [1, 3]


def test_damage_is_copied_once_for_people_to_see() -> None:
    disk = MemoryDisk()
    handle = disk.open("/x", create=True)
    disk.write(handle, [b"0123456789"], 0)
    assert quarantine(disk, handle, scans.Gap(2, 5), "/q/data-1")
    assert disk.content("/q/data-1") == b"234"
    assert not quarantine(disk, handle, scans.Gap(2, 5), "/q/data-1")
