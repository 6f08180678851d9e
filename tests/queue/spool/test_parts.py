"""A dictionary in parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.queue.spool.parts import PARTS, PLACES, Parts

IDENT = st.integers(0, 2**64 - 1)


@given(st.lists(st.tuples(st.sampled_from(["set", "pop", "del"]), st.integers(0, 40))))
def test_it_does_what_a_dictionary_does(acts: list[tuple[str, int]]) -> None:
    parts, plain = Parts(), dict[int, bytes]()
    for number, (act, low) in enumerate(acts):
        ident = low << 30 | low
        if act == "set":
            parts[ident] = plain[ident] = b"%d" % number
        elif act == "pop":
            assert parts.pop(ident) == plain.pop(ident, None)
        elif ident in plain:
            del parts[ident], plain[ident]
        else:
            with pytest.raises(KeyError):
                del parts[ident]
        assert (ident in parts, parts.get(ident)) == (ident in plain, plain.get(ident))
    assert (dict(parts), len(parts)) == (plain, len(plain))


def test_parts_become_full_one_after_the_other() -> None:
    """Ids as they are made: some seconds, every second number, as a batch has one too."""
    parts = Parts()
    for second in range(10):
        for counter in range(1, 20_000, 2):
            parts[(1_700_000_000 + second) << 32 | 3 << 24 | counter] = b""
    sizes = sorted(map(len, parts.parts))
    assert len(sizes) == PARTS
    assert 1.7 < sizes[-1] / sizes[0] < 2.2
    # Between two doublings of all, no more than a few become full within the same percent.
    together = [sum(low <= size < low * 1.01 for size in sizes) for low in sizes]
    assert max(together) <= PARTS // 8


def test_each_place_has_a_part() -> None:
    parts = Parts()
    assert len(parts.places) == PLACES
    assert {id(part) for part in parts.places} == {id(part) for part in parts.parts}
