import math

import pytest

from angarium.policy.shared.told import MOST, Stamps, bounded, maker_of, octets, seconds_of, text
from helpers.clock import START, FakeClock


def test_stamps_rise_also_when_the_clock_stands_still_or_is_set_back() -> None:
    clock = FakeClock()
    stamps = Stamps(clock, 3)
    found = [stamps(), stamps()]
    clock.set(START - 3600)
    found.append(stamps())
    assert found == sorted(set(found))
    assert {maker_of(each) for each in found} == {3}
    assert seconds_of(found[0]) == pytest.approx(START, abs=1e-3)


def test_stamps_of_two_workers_are_never_equal() -> None:
    clock = FakeClock()
    assert Stamps(clock, 1)() != Stamps(clock, 2)()


@pytest.mark.parametrize(
    ("given", "kept"),
    [(1.0, 1), (1.5, 1.5), (-3, -3), (math.inf, MOST), (-math.inf, -MOST), (math.nan, 0)],
)
def test_a_number_is_kept_within_what_lua_counts_exactly(given: float, kept: float) -> None:
    assert bounded(given) == kept
    assert isinstance(bounded(1.0), int)


def test_keys_are_octets_and_are_shown_as_text() -> None:
    assert octets("ü") == "ü".encode()
    assert octets(b"\xff") == b"\xff"
    assert text(b"\xff!") == "\\xff!"
