"""What is kept for SCRAM: written and read, and of users who are not there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.sasl.secrets import ScramSecret, pretended

OCTETS = st.binary(min_size=32, max_size=32)


@given(st.binary(min_size=1, max_size=40), st.integers(1, 1_000_000), OCTETS, OCTETS)
def test_what_is_written_is_read(salt: bytes, times: int, stored: bytes, server: bytes) -> None:
    secret = ScramSecret(salt, times, stored, server)
    assert ScramSecret.read(str(secret)) == secret


@pytest.mark.parametrize(
    "written",
    ["", "secret", "SCRAM-SHA-1$4096:c2FsdA==$a:b", "SCRAM-SHA-256$0:c2FsdA==$" + "A" * 44,
     f"SCRAM-SHA-256$2000000:c2FsdA==${'A' * 43}=:{'A' * 43}=",
     f"SCRAM-SHA-256$4096:c2==FsdA${'A' * 43}=:{'A' * 43}=",
     f"SCRAM-SHA-256$4096:c2FsdA==${'=' * 44}:{'A' * 43}="],
)  # fmt: skip
def test_what_is_none_is_none(written: str) -> None:
    assert ScramSecret.read(written) is None


def test_it_knows_its_password_and_shows_no_keys() -> None:
    secret = ScramSecret.of("pencil", b"salt")
    assert secret.knows("pencil")
    assert not secret.knows("pencils")
    assert "key" not in repr(secret)


def test_who_is_not_there_seems_to_have_the_same_secret_each_time() -> None:
    assert pretended("tim", b"k") == pretended("tim", b"k")
    assert pretended("tim", b"k").salt != pretended("tom", b"k").salt
    assert pretended("tim", b"k").salt != pretended("tim", b"other").salt
