"""The format of a record."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from angarium.journal import record
from angarium.journal.errors import DamageError, FormatError
from angarium.journal.record import HEAD_SIZE, decode, encode, head_at, nonce_at, search_key

NONCE = 0x0123456789ABCDEF
numbers = st.integers(0, 2**64 - 1)


@given(numbers, numbers, st.integers(0, 2**32 - 1), st.integers(0, 255), st.binary(max_size=200))
def test_what_was_encoded_is_decoded(
    nonce: int, number: int, back: int, kind: int, meta: bytes
) -> None:
    octets = encode(nonce, number, back, kind, meta, 7, 99) + b"the run"
    head, found = decode(octets, nonce)
    assert (head.number, head.back, head.kind, found) == (number, back, kind, meta)
    assert (head.run, head.run_crc, head.size) == (7, 99, len(octets))
    assert nonce_at(octets, 0) == nonce
    assert octets.startswith(search_key(nonce))


@given(st.binary(max_size=200))
def test_any_octets_give_a_record_or_a_typed_error(octets: bytes) -> None:
    assert head_at(octets, 0, NONCE) is None
    with pytest.raises(DamageError):
        decode(octets, NONCE)


@given(st.binary(max_size=60), st.data())
def test_one_changed_octet_is_seen(meta: bytes, data: st.DataObject) -> None:
    octets = bytearray(encode(NONCE, 5, 1, 16, meta))
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((DamageError, FormatError)):
        decode(bytes(octets), NONCE)


def test_a_record_of_another_segment_is_none_of_this_one() -> None:
    assert head_at(encode(NONCE, 5, 1, 16, b"x"), 0, NONCE + 1) is None


def test_a_newer_version_is_refused_and_not_called_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "VERSION", 2)
    octets = encode(NONCE, 5, 1, 16, b"x")
    monkeypatch.setattr(record, "VERSION", 1)
    with pytest.raises(FormatError, match="newer"):
        decode(octets, NONCE)


def test_the_head_has_the_size_the_format_says() -> None:
    assert HEAD_SIZE == len(encode(NONCE, 1, 0, 1, b"")) == 48
