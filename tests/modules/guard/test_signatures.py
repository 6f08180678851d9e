"""Systems by their first packet."""

import pytest

from angarium.modules.guard.signatures import FARTHEST, SIGNATURES, distance, recognized
from angarium.wire.syn import Syn, parse
from helpers.packets import options, syn, tcp, v4, v6


def first(octets: bytes) -> Syn:
    found = parse(octets)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("octets", "genre", "detail", "away"),
    [
        (syn("M,S,T,N,W", 64240), "Linux", "4.20 and later", 0),
        (syn("M,S,T,N,W", 65280, mss=1360, ttl=52), "Linux", "4.20 and later", 12),
        (syn("M,S,T,N,W", 29200), "Linux", "3.11 to 4.19", 0),
        (syn("M,S,T,N,W", 14600), "Linux", "2.6.39 to 3.10", 0),
        (syn("M,S,T,N,W", 5840), "Linux", "2.4 or 2.6", 0),
        (syn("M,S,T,N,W", 65535), "Linux", "other, or Android", 0),
        (syn("M,N,N,S,N,W", 1234), "Linux", "other", 0),
        (syn("M,N,W,N,N,S", 8192, 117, 8), "Windows", "Vista to 8.1", 11),
        (syn("M,N,W,N,N,S", 64240, 128, 8), "Windows", "10, 11, Server 2016 and later", 0),
        (syn("M,N,N,S", 65535, 110), "Windows", "XP or Server 2003", 18),
        (syn("M,N,N,S", 16384, 128), "Windows", "2000", 0),
        (syn("M,N,N,S", 1, 128), "Windows", "2000, XP or Server 2003", 0),
        (syn("M,N,W,S,T", 65535, 64, 6), "FreeBSD", "9 and later", 0),
        (syn("M,N,W,S,T", 65535, 64, 3), "FreeBSD", "5 to 8", 0),
        (syn("M,N,W,S,T", 8192, 128, 8), "Windows", "Vista to 8.1", 0),
        (syn("M,N,W,N,N,T,S,E", 65535, 60, 6), "MacOS", "10.9 and later, or iOS", 4),
        (syn("M,N,W,N,N,T,S,E", 65535, 60, 1), "MacOS", "10.4 to 10.8, or iOS", 4),
        (syn("M,N,N,S,N,W,N,N,T", 16384, 64, 6), "OpenBSD", "5 and later", 0),
        (syn("M,N,W,N,N,S", 49640, 60, 0), "Solaris", "", 4),
        (v6(tcp(options("M,S,T,N,W", 1440), 64800), 57), "Linux", "4.20 and later", 7),
    ],
)
def test_a_system_is_known_by_its_first_packet(
    octets: bytes, genre: str, detail: str, away: int
) -> None:
    assert recognized(first(octets)) == (genre, detail, away)


@pytest.mark.parametrize(
    "octets",
    [
        syn("M", 1024),
        syn("M,S,T,N,W", ttl=128),
        syn("M,N,W,N,N,S", ttl=250),
        syn("M,N,W,N,N,S", ttl=128 - FARTHEST - 1),
        v4(tcp(options("M,S,T,N,W")), df=False),
        v4(tcp(options("M,S,T,N,W")), ip_options=bytes(4)),
        v4(tcp(options("M,S,T,N,W"), flags=0x0A)),
    ],
)
def test_what_fits_no_system_is_none(octets: bytes) -> None:
    assert recognized(first(octets)) is None


def test_the_first_ttl_is_the_next_one_above() -> None:
    for ttl, begun in ((0, 32), (32, 32), (33, 64), (64, 64), (65, 128), (129, 255), (255, 255)):
        assert distance(first(syn("M", ttl=ttl))) == (begun, begun - ttl)


def test_no_two_systems_begin_alike() -> None:
    assert len({(each.ttl, each.layout) for each in SIGNATURES}) == len(SIGNATURES)
