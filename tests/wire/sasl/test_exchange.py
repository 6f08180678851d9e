"""What comes from outside is bounded, and breaks no log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.sasl.errors import MalformedError, RefusedError
from angarium.wire.sasl.exchange import itself, name, password, text


@given(st.binary(max_size=300))
def test_a_name_is_printable_and_short_or_malformed(octets: bytes) -> None:
    try:
        found = name(octets)
    except MalformedError:
        return
    assert found.isprintable()
    assert 0 < len(octets) <= 255


def test_a_password_is_not_empty() -> None:
    with pytest.raises(RefusedError):
        password(b"")
    assert password(b" p\n") == " p\n"


def test_what_is_too_long_is_malformed() -> None:
    with pytest.raises(MalformedError):
        text(b"abc", 2)


def test_nobody_is_somebody_else() -> None:
    itself("a", "")
    itself("a", "a")
    with pytest.raises(RefusedError):
        itself("a", "b")
