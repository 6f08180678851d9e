"""Repair of jlogs: what is no record goes, everything else stays."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.events.jlog import Jlog, Place, Writer, record, whole
from angarium.events.jlog_repair import damaged, faults, repair

A, B, C = (record(each, 1.0) for each in (b"first", b"second", b"third"))


def test_a_sound_one_is_left_alone(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "q")
    writer.append([b"a", b"b"], 1.0)
    before = {path: path.read_bytes() for path in writer.jlog.path.iterdir()}
    assert repair(writer.jlog) == []
    assert {path: path.read_bytes() for path in writer.jlog.path.iterdir()} == before


@pytest.mark.parametrize(
    ("octets", "stretches"),
    [
        (A + B, []),
        (b"", []),
        (A + b"garbage" + B, [(len(A), len(A) + 7)]),
        (b"garbage" + A, [(0, 7)]),
        (A + B[:-2], [(len(A), len(A) + len(B) - 2)]),
        (A + B[:-2] + C, [(len(A), len(A) + len(B) - 2)]),
        (b"garbage", [(0, 7)]),
    ],
)
def test_what_is_no_record_is_found(octets: bytes, stretches: list[tuple[int, int]]) -> None:
    assert damaged(octets) == stretches


@given(st.lists(st.binary(max_size=30), max_size=6), st.data())
def test_what_is_left_is_whole(messages: list[bytes], data: st.DataObject) -> None:
    octets = bytearray(b"".join(record(each, 1.0) for each in messages))
    for _ in range(data.draw(st.integers(0, 3))):
        if octets:
            octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    kept, at = b"", 0
    for start, end in damaged(bytes(octets)):
        kept += octets[at:start]
        at = end
    kept += octets[at:]
    ends = [end for _, end in whole(kept)]
    assert (ends[-1] if ends else 0) == len(kept)


def test_metastore_segments_and_places_are_put_right(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "q", "me")
    writer.limit = 60
    left = [b"message %d\n" % number for number in range(9)]
    while left:
        del left[: writer.append(left, 1.0)]
    jlog = writer.jlog
    jlog.subscribe("far")
    jlog.move("far", Place(99, 4))
    jlog.move("me", Place(0, 2))
    jlog.subscribe("gone")
    jlog.segment(0).unlink()
    path = jlog.segment(1)
    path.write_bytes(b"rubbish" + path.read_bytes())
    jlog.index(1).write_bytes(b"\0" * 16)
    (jlog.path / "metastore").write_bytes(b"")
    found = faults(jlog)
    assert len(found) == 5, found
    assert repair(jlog) == found
    assert faults(jlog) == []
    assert not jlog.index(1).exists()
    last = jlog.segments()[-1]
    assert jlog.meta().segment == last
    places = jlog.subscribers()
    assert (places["me"], places["gone"]) == (Place(1, 0), Place(1, 0))
    assert places["far"] == jlog.last()
    kept = [message for _, message in Jlog(jlog.path).read(Place(0, 0))]
    assert kept == [b"message %d\n" % number for number in range(3, 9)]
