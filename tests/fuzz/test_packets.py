"""Octets nobody wrote, in the place of a first packet or of what p0f says: never an exception.

Short in CI; `make fuzz` runs it long.
"""

from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from angarium.modules.guard.signatures import recognized
from angarium.wire import p0f
from angarium.wire.syn import parse
from helpers.packets import options, syn, tcp, v4, v6

SEEDS = [
    syn("M,S,T,N,W"),
    syn("M,N,W,N,N,T,S,E", 65535),
    v6(tcp(options("M,N,W,N,N,S"))),
    v6(tcp(b""), between=bytes((60, 0)) + bytes(6) + bytes((6, 1)) + bytes(14), following=0),
    v4(tcp(options("M")), ip_options=bytes(40)),
]
EDITS = st.lists(
    st.tuples(st.integers(0, 120), st.integers(0, 3), st.binary(max_size=4)), max_size=6
)


def looked_at(octets: bytes) -> None:
    found = parse(octets)
    if found is not None:
        assert len(str(found)) < 300
        assert str(found).isprintable()
        recognized(found)


@given(st.sampled_from(SEEDS), EDITS)
def test_a_packet_that_was_tampered_with(
    octets: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    for at, removed, added in edits:
        place = at % (len(octets) + 1)
        octets = octets[:place] + added + octets[place + removed :]
    looked_at(octets)


@given(st.sampled_from(SEEDS), st.integers(0, 120))
def test_a_packet_that_was_cut(octets: bytes, size: int) -> None:
    looked_at(octets[:size])


@given(st.binary(max_size=200))
@example(b"\x45" + bytes(19))
@example(b"\x60" + bytes(39))
def test_any_octets(octets: bytes) -> None:
    looked_at(octets)


@given(st.binary(min_size=p0f.SIZE, max_size=p0f.SIZE) | st.binary(max_size=200))
def test_any_octets_of_a_daemon(octets: bytes) -> None:
    with suppress(p0f.NoAnswerError):
        found = p0f.answer(p0f.MAGIC.to_bytes(4, "little") + bytes(4) + octets[8:], 0)
        assert found is None or (found.genre + found.detail).isprintable()
