"""What a record of a stream holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.events.schema import EventError, encode
from angarium.events.stream import DATA, STATE, Frame, frame, frames
from helpers.streams import delivery

FRAMES = st.tuples(st.integers(0, 255), st.integers(0, 2**64 - 1), st.binary(max_size=30))


@given(st.lists(FRAMES, max_size=5))
def test_frames_are_read_as_they_were_joined(made: list[Frame]) -> None:
    assert frames(b"".join(frame(*each) for each in made)) == made


@given(st.binary(max_size=60))
def test_any_octets_are_frames_or_the_one_error(octets: bytes) -> None:
    try:
        found = frames(octets)
    except EventError:
        return
    assert b"".join(frame(*each) for each in found) == octets


@pytest.mark.parametrize("lost", [1, 5, 40])
def test_a_frame_cut_short_is_an_error(lost: int) -> None:
    octets = frame(DATA, 1, encode(delivery(1))) + frame(STATE, 2, b"x" * 20)
    with pytest.raises(EventError):
        frames(octets[:-lost])
