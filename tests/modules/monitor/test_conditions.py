"""When a trap is due."""

import pytest

from angarium.modules.monitor.conditions import WATCHED, Conditions
from angarium.modules.monitor.mib import counter, gauge

LIMITS = {"GlobalMailQueue": 10, "ActiveQueue": 5, "DelayedQueue": 5, "FailedMessages": 3}


def told(conditions: Conditions, now: float, **values: int) -> list[int]:
    """Return the last numbers of the traps."""
    return [trap.oid[-1] for trap in conditions.look(values, now)]


@pytest.mark.effect("snmp_traps.watch_variables", "snmp_traps.trap_interval")
def test_a_trap_is_repeated_after_the_interval_while_it_lasts() -> None:
    conditions = Conditions(LIMITS, again=60.0)
    assert told(conditions, 0.0, ActiveQueue=4) == []
    assert told(conditions, 10.0, ActiveQueue=5) == [4]  # it has reached it
    assert told(conditions, 20.0, ActiveQueue=900) == []
    assert told(conditions, 69.9, ActiveQueue=900) == []
    assert told(conditions, 70.0, ActiveQueue=900) == [4]


def test_what_was_below_in_between_is_told_at_once() -> None:
    conditions = Conditions(LIMITS, again=60.0)
    assert told(conditions, 0.0, DelayedQueue=5) == [5]
    assert told(conditions, 10.0, DelayedQueue=4) == []
    assert told(conditions, 20.0, DelayedQueue=5) == [5]


def test_each_variable_has_its_trap_and_its_object() -> None:
    conditions = Conditions(LIMITS, again=60.0)
    values = {"GlobalMailQueue": 11, "ActiveQueue": 6, "DelayedQueue": 5, "FailedMessages": 3}
    traps = conditions.look(values, 0.0)
    assert [trap.oid[-1] for trap in traps] == [3, 4, 5, 6]
    for trap, name in zip(traps, values, strict=True):
        number = gauge(11) if name == "GlobalMailQueue" else counter(values[name])
        assert trap.objects == ((WATCHED[name][1], number),)


def test_what_nobody_watches_or_knows_is_no_trap() -> None:
    assert Conditions({}, 60.0).look({"ActiveQueue": 9**9}, 0.0) == []
    assert Conditions(LIMITS, 60.0).look({}, 0.0) == []
