"""What the first packet of a connection says; one that is none says nothing, and harms nobody."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.syn import Syn, parse
from helpers.packets import options, syn, tcp, v4, v6

# As a Linux of 2025 sent them to itself, by TCP_SAVED_SYN.
LINUX_4 = bytes.fromhex(
    "4500003ca7ba4000400694ff7f0000017f000001dc5cd78db369f34900000000a002ffd7fe3000000204ffd7"
    "0402080a9a015cd5000000000103030a"
)
LINUX_6 = bytes.fromhex(
    "600c68e6002806400000000000000000000000000000000100000000000000000000000000000001"
    "a324b75b309ee84000000000a002ffc4003000000204ffc40402080a02303f3f000000000103030a"
)
LETTERS = st.lists(st.sampled_from("MNWST"), max_size=4).map(",".join)


def test_a_packet_of_ipv4_is_read() -> None:
    found = parse(LINUX_4)
    assert found == Syn(4, 64, True, 60, 65495, 65495, 10, "M,S,T,N,W")
    assert str(found) == "4:64:65495:65495,10:M,S,T,N,W:df"


def test_a_packet_of_ipv6_is_read() -> None:
    assert parse(LINUX_6) == Syn(6, 64, False, 80, 65476, 65476, 10, "M,S,T,N,W")


def test_headers_between_are_stepped_over_and_noted() -> None:
    hop = bytes((6, 0)) + bytes(6)
    assert parse(v6(tcp(options("M")), between=hop, following=0)) == Syn(
        6, 64, False, 72, 64240, 1460, -1, "M", quirks=("ipopt",)
    )
    for length in (1, 7):
        assert parse(v6(b"", between=hop[:length], following=0)) is None
    strict = bytes((7, 4, 4, 0))
    noted = parse(v4(tcp(b""), ip_options=strict))
    assert noted is not None
    assert noted.quirks == ("ipopt",)


def test_the_list_of_options_ends_where_it_says() -> None:
    found = parse(syn("M,E"))
    assert found is not None
    assert found.layout == "M,E"
    assert not found.quirks


def test_a_timestamp_of_nought_is_noted_and_other_kinds_have_their_number() -> None:
    for stamp, zero in ((0, True), (7, False)):
        found = parse(v4(tcp(bytes((254, 4, 1, 2)) + options("N,N,T", stamp=stamp))))
        assert found is not None
        assert found.zero_stamp is zero
        assert found.layout == "?254,N,N,T"


@pytest.mark.parametrize(
    "broken", [bytes((2, 0, 0, 0)), bytes((2, 40, 0, 0)), bytes((2, 3, 0, 1)), bytes((1, 1, 1, 3))]
)
def test_options_which_cannot_be_read_are_noted(broken: bytes) -> None:
    found = parse(v4(tcp(broken)))
    assert found is not None
    assert found.quirks == ("broken",)


def test_flags_of_ecn_are_none_to_be_noted_and_others_are() -> None:
    for flags, quirks in ((0xC2, ()), (0x2A, ("flags",)), (0x03, ("flags",))):
        found = parse(v4(tcp(b"", flags=flags)))
        assert found is not None
        assert found.quirks == quirks


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x45",
        b"\x00" * 40,
        b"\x60" + bytes(30),
        v4(tcp(b"", flags=0x12)),
        v4(tcp(b"", flags=0x10)),
        v4(tcp(b""))[:9] + b"\x11" + v4(tcp(b""))[10:],
        v4(tcp(b""))[:6] + struct.pack("!H", 9) + v4(tcp(b""))[8:],
        v6(tcp(b""), following=44),
        v4(tcp(options("M")))[:-1],
    ],
)
def test_what_is_no_syn_says_nothing(octets: bytes) -> None:
    assert parse(octets) is None


@given(
    st.sampled_from((4, 6)), st.integers(0, 255), st.integers(0, 65535), st.integers(1, 65535),
    st.integers(0, 14), LETTERS,
)  # fmt: skip
def test_what_was_written_is_read(
    version: int, ttl: int, window: int, mss: int, scale: int, layout: str
) -> None:
    made = options(layout, mss, scale)
    if len(made) > 40:
        return
    segment = tcp(made, window)
    found = parse((v4 if version == 4 else v6)(segment, ttl))
    assert found is not None
    assert (found.version, found.ttl, found.window) == (version, ttl, window)
    assert found.layout.removesuffix(",E") == layout or (not layout and found.layout in ("", "E"))
    assert found.mss == (mss if "M" in layout else 0)
    assert found.scale == (scale if "W" in layout else -1)
    assert not found.quirks
