"""A lane is one small number for class and key, and no key is 0."""

from hypothesis import given
from hypothesis import strategies as st

from angarium.core.lane import CLASSES, KEY_BITS, hash_of, lane_of


@given(st.integers(-5, 9), st.text(max_size=40))
def test_a_lane_fits_32_bits_and_holds_its_class(priority: int, key: str) -> None:
    lane = lane_of(priority, key)
    assert 0 <= lane < 1 << 32
    assert lane >> KEY_BITS == min(max(priority, 0), CLASSES - 1)
    assert bool(lane & (1 << KEY_BITS) - 1) == bool(key)


def test_a_key_keeps_its_hash_for_ever() -> None:
    # It is kept in checkpoints: another hash would part the mail of one key at an upgrade.
    assert (hash_of(""), hash_of("acme"), hash_of("news.example")) == (0, ACME, NEWS)


def test_what_is_no_text_is_a_key_too() -> None:
    assert hash_of("\udcff") != hash_of("\udcfe")


ACME, NEWS = 971004715, 793445990
