"""SASLprep by the examples of RFC 4013 section 3."""

import pytest

from angarium.wire.sasl.errors import MalformedError
from angarium.wire.sasl.prepare import prepared


@pytest.mark.parametrize(
    ("original", "found"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
    ],
)
def test_what_looks_the_same_is_the_same(original: str, found: str) -> None:
    assert prepared(original) == found


@pytest.mark.parametrize("wrong", ["\u0007", "\u06271", "\ue000"])
def test_what_may_not_be_is_refused(wrong: str) -> None:
    with pytest.raises(MalformedError):
        prepared(wrong)
