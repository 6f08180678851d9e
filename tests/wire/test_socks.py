"""The client's side of SOCKS 5: what is said to a proxy, and what its answers mean."""

import ipaddress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.socks import REPLIES, Blame, Socks

HOST = ("192.0.2.1", 25)
V4_REPLY = b"\5\0\0\1\xc0\0\2\1\0\x19"


def said(socks: Socks, *answers: bytes) -> list[bytes]:
    """Return what the client says first, and after each answer."""
    out = [socks.data_to_send()]
    for each in answers:
        socks.receive(each)
        out.append(socks.data_to_send())
    return out


def test_without_a_name_the_proxy_is_told_where_to_connect() -> None:
    socks = Socks(HOST)
    assert said(socks, b"\5\0") == [b"\5\1\0", b"\5\1\0\1\xc0\0\2\1\0\x19"]
    assert (socks.asking, socks.done) == (True, False)
    socks.receive(V4_REPLY + b"220 mx")
    assert socks.done
    assert socks.rest == b"220 mx"
    socks.receive(b".example\r\n")
    assert socks.rest == b"220 mx.example\r\n"


def test_addresses_of_ipv6_are_sixteen_octets() -> None:
    packed = ipaddress.ip_address("2001:db8::1").packed
    assert said(Socks(("2001:db8::1", 587)), b"\5\0")[1] == b"\5\1\0\4" + packed + b"\2\x4b"


def test_who_wants_to_know_who_we_are_is_told() -> None:
    socks = Socks(HOST, ("me", "secret"))
    out = said(socks, b"\5\2", b"\1\0", V4_REPLY)
    assert out == [b"\5\2\0\2", b"\1\2me\6secret", b"\5\1\0\1\xc0\0\2\1\0\x19", b""]
    assert socks.done


def test_who_does_not_ask_is_not_told_the_password() -> None:
    out = said(Socks(HOST, ("me", "secret")), b"\5\0")
    assert b"secret" not in b"".join(out)


@pytest.mark.parametrize(
    ("bound", "kind"), [(bytes(4), 1), (bytes(16), 4), (b"\x09localhost", 3), (b"\0", 3)]
)
def test_where_the_proxy_connects_from_may_be_anything(bound: bytes, kind: int) -> None:
    socks = Socks(HOST)
    said(socks, b"\5\0", b"\5\0\0" + bytes([kind]) + bound + b"\0\0" + b"rest")
    assert socks.rest == b"rest"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([b"\5\xff"], "wants to know who we are"),
        ([b"\5\2"], "does not speak SOCKS"),
        ([b"\5\1"], "does not speak SOCKS"),
        ([b"\4"], "does not speak SOCKS"),
        ([b"220 mx.example ESMTP\r\n"], "does not speak SOCKS"),
        ([b"\5\0", b"\5\0\0\2\0\0\0\0\0\0"], "does not speak SOCKS"),
        ([b"\5\0", b"\5\x09\0\1\0"], "which means nothing"),
        ([b"\5\0", b"\4"], "does not speak SOCKS"),
    ],
)
def test_what_is_wrong_with_the_proxy_is_its_fault(answers: list[bytes], reason: str) -> None:
    socks = Socks(HOST)
    said(socks, *answers)
    assert socks.fault is not None
    assert socks.fault.blame is Blame.PROXY
    assert reason in socks.fault.reason


def test_a_refused_name_is_the_fault_of_the_proxy() -> None:
    for answers, reason in (([b"\5\2", b"\1\1"], "refuses our name"), ([b"\5\xff"], "no way")):
        socks = Socks(HOST, ("me", "secret"))
        said(socks, *answers)
        assert socks.fault is not None
        assert reason in socks.fault.reason


@pytest.mark.parametrize("code", range(1, 9))
def test_a_reply_says_whose_fault_it_is(code: int) -> None:
    socks = Socks(HOST)
    said(socks, b"\5\0", bytes([5, code, 0, 1]) + bytes(6))
    assert socks.fault is REPLIES[code]
    hosts = {
        4: Blame.UNREACHABLE,
        5: Blame.REFUSED,
        6: Blame.SLOW,
        3: Blame.FAMILY,
        8: Blame.FAMILY,
    }
    assert socks.fault.blame is hosts.get(code, Blame.PROXY)


@pytest.mark.parametrize("user", [("", "x"), ("x" * 256, "x"), ("x", "x" * 256), ("ü" * 128, "")])
def test_names_and_passwords_have_a_length(user: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="octets"):
        Socks(HOST, user)


@given(
    st.sampled_from([b"\5\2\1\0" + V4_REPLY, b"\5\0" + V4_REPLY, b"\5\2\1\0\5\5\0\1\0\0\0\0\0\0"]),
    st.binary(max_size=10),
    st.lists(st.integers(0, 30), max_size=6),
)
def test_answers_may_come_in_any_pieces(octets: bytes, rest: bytes, cuts: list[int]) -> None:
    def played(pieces: list[bytes]) -> tuple[object, ...]:
        socks = Socks(HOST, ("me", "secret"))
        out = b"".join(said(socks, *pieces))
        return out, socks.done, socks.fault, socks.rest

    whole = octets + rest
    places = sorted({min(each, len(whole)) for each in cuts} | {0, len(whole)})
    pieces = [whole[a:b] for a, b in pairwise(places)]
    assert played(pieces) == played([whole])
