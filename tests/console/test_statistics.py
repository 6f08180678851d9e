"""What the console keeps for a node."""

import msgspec
import pytest

from angarium.console.errors import CommandError
from angarium.console.statistics import MAX_NAME, MOST, Gone, Reset, Statistics


def test_a_counter_is_made_when_it_is_added_to() -> None:
    kept = Statistics()
    kept.add("a", 5, 1.0)
    kept.add("a", -2, 2.0)
    assert (kept.counter("a").value, kept.counter("a").since) == (3, 1.0)
    with pytest.raises(CommandError, match="no counter b"):
        kept.counter("b")


def test_counters_are_bounded() -> None:
    kept = Statistics()
    with pytest.raises(CommandError, match="characters"):
        kept.add("x" * (MAX_NAME + 1), 1, 1.0)
    for number in range(MOST):
        kept.add(str(number), 1, 1.0)
    with pytest.raises(CommandError, match="no more are kept"):
        kept.add("one more", 1, 1.0)
    kept.add("0", 1, 1.0)
    assert kept.counter("0").value == 2


def test_what_workers_leave_is_summed() -> None:
    gone = Gone()
    gone.add({"queries.MX": 2.0}, {"g\tb": [1, 2, 3]})
    gone.add({"queries.MX": 1.0, "queries.A": 1.0}, {"g\tb": [4, 4, 4], "g\tc": [0, 1, 0]})
    assert gone.names == {"queries.MX": 3.0, "queries.A": 1.0}
    assert gone.bindings == {"g\tb": [5, 6, 7], "g\tc": [0, 1, 0]}


def test_all_of_it_can_be_handed_over() -> None:
    kept = Statistics(Reset(3.0, {"deliveries": 5.0}), traces=7)
    kept.add("a", 5, 1.0)
    kept.gone.add({"queries.MX": 2.0}, {"g\tb": [1, 2, 3]})
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(kept), type=Statistics)
    assert again == kept
    again.add("a", 1, 2.0)  # and goes on
    assert again.counter("a").value == 6
    assert Statistics().counters == {}
