"""Octets nobody wrote, in the place of a PROXY header or of what a SOCKS proxy answers.

A header, or none; a connection, or a fault, or more to come: never anything else.

Short in CI; `make fuzz` runs it long.
"""

import struct

from hypothesis import example, given
from hypothesis import strategies as st

from angarium.wire.proxy import LONGEST, SIGNATURE, HeaderError, encode, encode_line, parse
from angarium.wire.socks import Socks

V4 = (("192.0.2.9", 40000), ("198.51.100.1", 25))
V6 = (("2001:db8::9", 40000), ("2001:db8::1", 25))
SEEDS = [
    encode(*V4),
    encode(*V6),
    encode_line(*V4),
    encode_line(*V6),
    b"PROXY UNKNOWN\r\n",
    SIGNATURE + struct.pack("!BBH", 0x20, 0, 0),
    SIGNATURE + struct.pack("!BBH", 0x21, 0, 10) + struct.pack("!BH", 3, 4) + b"\0\0\0\0\4\0\0",
]
EDITS = st.lists(
    st.tuples(st.integers(0, 120), st.integers(0, 3), st.binary(max_size=4)), max_size=6
)


def looked_at(octets: bytes) -> None:
    """A header is what was there, whatever follows it; the same octets in pieces say the same."""
    said: object = None
    try:
        header = said = parse(octets)
    except HeaderError:
        return
    if header is None:
        assert len(octets) < LONGEST
        return
    assert 0 < header.octets <= len(octets)
    assert parse(octets[: header.octets]) == said
    assert parse(octets + b"EHLO") == said
    for less in range(header.octets):
        assert parse(octets[:less]) is None


@given(st.sampled_from(SEEDS), EDITS)
def test_a_header_that_was_tampered_with(
    octets: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    for at, removed, added in edits:
        place = at % (len(octets) + 1)
        octets = octets[:place] + added + octets[place + removed :]
    looked_at(octets)


@given(st.binary(max_size=300))
@example(SIGNATURE)
@example(b"PROXY ")
def test_any_octets(octets: bytes) -> None:
    looked_at(octets)
    looked_at(SIGNATURE + octets)
    looked_at(b"PROXY " + octets)
    looked_at(SIGNATURE + b"\x21\x11" + octets)


@given(st.lists(st.binary(max_size=40), max_size=8), st.booleans())
@example([b"\5\2", b"\1\0", b"\5\0\0\3\xff"], True)
def test_any_octets_of_a_socks_proxy(answers: list[bytes], named: bool) -> None:
    socks = Socks(("192.0.2.1", 25), ("me", "secret") if named else None)
    out = socks.data_to_send()
    for each in answers:
        socks.receive(each)
        out += socks.data_to_send()
    assert len(out) < 100
    assert not (socks.done and socks.fault)
    assert socks.done or not socks.rest
