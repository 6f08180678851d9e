"""Hashes of a body."""

import hashlib

import pytest

from angarium.mail.auth.digest import Hashing, Want, fresh, hashed

BODY = b"a  b \r\nsecond\r\n\r\n"
RELAXED = b"a b\r\nsecond\r\n"
SIMPLE = b"a  b \r\nsecond\r\n"


def test_each_want_gets_its_hash_and_the_size_of_all() -> None:
    wants = {
        Want("relaxed", "sha256"): RELAXED,
        Want("relaxed", "sha1"): RELAXED,
        Want("simple", "sha256"): SIMPLE,
        Want("relaxed", "sha256", 7): RELAXED[:7],
        Want("relaxed", "sha256", 0): b"",
        Want("simple", "sha256", 1000): SIMPLE,
    }
    for step in (1, 4, 100):
        got = hashed(wants, [BODY[at : at + step] for at in range(0, len(BODY), step)])
        for want, octets in wants.items():
            assert got[want].digest == hashlib.new(want.hash, octets).digest()
            assert got[want].size == len(RELAXED if want.canon == "relaxed" else SIMPLE)


def test_a_body_nobody_wants_is_not_read() -> None:
    def body() -> object:
        raise AssertionError("it was read")

    pieces = (body() for _ in range(1))
    assert hashed((), pieces) == {}  # type: ignore[arg-type]


def test_a_want_which_is_there_twice_is_one() -> None:
    hashing = Hashing([Want("simple", "sha1"), Want("simple", "sha1")])
    hashing.feed(b"x")
    assert list(hashing.end()) == [Want("simple", "sha1")]


def test_there_are_two_hashes() -> None:
    with pytest.raises(ValueError, match="md5"):
        fresh("md5")
