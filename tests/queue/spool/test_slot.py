"""The packed form of an entry."""

import sys

import hypothesis.strategies as st
from hypothesis import given

from angarium.queue.spool.slot import (
    KEYED,
    MAX_ATTEMPTS,
    MAX_DUE,
    SIZE,
    Slot,
    due_of,
    lane_in,
    lane_tail,
    place_of,
    route_of,
    unpack,
    with_place,
    with_route,
    with_timing,
)

u32 = st.integers(0, 2**32 - 1)
slots = st.builds(
    Slot, u32, u32, st.integers(0, 2**16 - 1), st.integers(0, 255), u32, u32, u32, u32
)


@given(slots)
def test_a_slot_comes_back(slot: Slot) -> None:
    packed = slot.pack()
    assert len(packed) == SIZE == 27
    assert unpack(packed) == slot
    assert (route_of(packed), due_of(packed)) == (slot.route, slot.due)
    assert place_of(packed) == (slot.segment, slot.offset)


@given(slots, u32, u32, u32, u32, st.integers(0, 2**16 - 1))
def test_one_thing_is_changed_and_the_rest_stays(
    slot: Slot, a: int, b: int, c: int, due: int, attempts: int
) -> None:
    packed = slot.pack()
    assert unpack(with_route(packed, a)) == slot._replace(route=a)
    assert unpack(with_timing(packed, due, attempts)) == slot._replace(due=due, attempts=attempts)
    moved = slot._replace(segment=a, offset=b, recipient=c)
    assert unpack(with_place(packed, a, b, c)) == moved


@given(slots, u32)
def test_a_lane_stays_behind_whatever_is_changed(slot: Slot, lane: int) -> None:
    packed = slot.pack() + lane_tail(lane)
    assert lane_in(packed) == lane
    assert unpack(packed) == slot
    for changed in (with_route(packed, 5), with_timing(packed, 5, 6), with_place(packed, 5, 6, 7)):
        assert lane_in(changed) == lane


def test_a_slot_costs_the_same_with_a_lane_and_without() -> None:
    bare = Slot(0, 0, 0, 0, 0, 0, 0, 0).pack()
    # What Python gives an object is a multiple of 16 octets.
    assert {-(-sys.getsizeof(each) // 16) for each in (bare, bare + lane_tail(1))} == {4}


def test_what_does_not_fit_is_cut_to_what_does() -> None:
    packed = Slot(0, 0, 0, 0, 0, 0, 0, 0).pack()
    slot = unpack(with_timing(packed, 1 << 40, 1 << 20))
    assert (slot.due, slot.attempts) == (MAX_DUE, MAX_ATTEMPTS)
    assert unpack(with_timing(packed, -5, 1)).due == 0


@given(st.integers(0, 2**64 - 1), slots)
def test_a_row_of_a_checkpoint_is_id_and_slot(ident: int, slot: Slot) -> None:
    assert KEYED.unpack(KEYED.pack(ident, slot.pack())) == (ident, slot.pack())
