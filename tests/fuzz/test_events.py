"""Octets nobody wrote, in the place of events: an event or the one error, and always one line.

Short in CI; `make fuzz` runs it long.
"""

from hypothesis import example, given
from hypothesis import strategies as st

from angarium.events import format as lines
from angarium.events.reader import key_of
from angarium.events.schema import Event, EventError, Rejection, decode, encode
from angarium.events.stream import STATE, frame, frames
from helpers.streams import delivery, permanent, reception, rejection, transient

SEEDS = [encode(event) for event in (reception(1), delivery(2), transient(3), permanent(4))]
SEEDS.append(encode(rejection()))
EDITS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 3), st.binary(max_size=4)), max_size=6
)


def edited(octets: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """Replace, insert and remove some octets."""
    for at, removed, added in edits:
        place = at % (len(octets) + 1)
        octets = octets[:place] + added + octets[place + removed :]
    return octets


def written(event: Event) -> list[bytes]:
    """Every line any log makes of an event."""
    tables = (lines.MAINLOG, lines.BOUNCELOG)
    made = [
        table[type(event)](event, lines.seconds(event.at))
        for table in tables
        if type(event) in table
    ]
    found = [lines.line(fields) for fields in made]
    return [*found, lines.rejection(event, "1").encode()] if isinstance(event, Rejection) else found


@given(st.sampled_from(SEEDS), EDITS)
@example(SEEDS[0], [(0, 1, b"\x9f")])
def test_octets_in_place_of_an_event(seed: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    try:
        event = decode(edited(seed, edits))
    except EventError:
        return
    assert decode(encode(event)) == event or "nan" in repr(event)
    key_of(event)
    for line in written(event):
        assert len(line.decode().splitlines()) == 1


@given(st.lists(st.sampled_from(SEEDS), max_size=3), EDITS)
def test_octets_in_place_of_frames(seeds: list[bytes], edits: list[tuple[int, int, bytes]]) -> None:
    payload = b"".join(frame(STATE, number, each) for number, each in enumerate(seeds))
    octets = edited(payload, edits)
    try:
        found = frames(octets)
    except EventError:
        return
    assert b"".join(frame(*each) for each in found) == octets
