"""When a certificate is asked for, and when it is told that it ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.net.acme import schedule
from angarium.net.acme.certificates import Held
from angarium.net.acme.folder import Record
from angarium.wire.acme.errors import AcmeError

DAY = schedule.DAY
NOW = 1_800_000_000.0


def held(days: float, life: float = 90.0, names: tuple[str, ...] = ("a.test",)) -> Held:
    ends = NOW + days * DAY
    return Held(ends - life * DAY, ends, frozenset(names), "CN=x", b"")


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "there is none"),
        (held(89, names=("b.test",)), "its names are others"),
        (held(89, names=("a.test", "b.test")), ""),
        (held(-1), "it has expired"),
        (held(29.9), "it ends soon"),
        (held(30.1), ""),
        (held(2.1, life=6), ""),
        (held(1.9, life=6), "it ends soon"),
    ],
)
def test_a_certificate_is_due_when_it_is_missing_wrong_or_ends(
    found: Held | None, why: str
) -> None:
    assert schedule.due(found, ("a.test",), 30 * DAY, NOW) == why


def test_after_each_failure_it_is_asked_for_later_and_a_restart_changes_nothing() -> None:
    record, rests = Record(), []
    for _ in range(12):
        record = schedule.failed(record, "wish", AcmeError("no"), NOW, lambda: 0.0)
        rests.append(record.not_before - NOW)
        assert not schedule.may_begin(record, "wish", record.not_before - 1)
        assert schedule.may_begin(record, "wish", record.not_before)
    assert rests[:4] == [300.0, 600.0, 1200.0, 2400.0]
    assert rests[-1] == DAY / 2
    assert schedule.may_begin(schedule.done("wish", NOW), "wish", NOW)


def test_an_authority_which_says_when_is_asked_no_earlier() -> None:
    slow = schedule.failed(Record(), "wish", AcmeError("no", wait=7200.0), NOW, lambda: 0.0)
    assert slow.not_before == NOW + 7200.0
    many = schedule.failed(Record(), "wish", AcmeError("no"), NOW, lambda: 1.0)
    assert many.not_before == NOW + 360.0


def test_of_another_wish_an_earlier_failure_says_nothing() -> None:
    record = schedule.failed(Record(), "wish", AcmeError("no"), NOW, lambda: 0.0)
    assert schedule.may_begin(record, "another", NOW)
    assert schedule.failed(record, "another", AcmeError("no"), NOW, lambda: 0.0).failures == 1


def test_a_clock_which_was_set_back_lets_nobody_wait_for_years() -> None:
    record = schedule.failed(Record(), "wish", AcmeError("no"), NOW, lambda: 0.0)
    assert schedule.may_begin(record, "wish", NOW - 400 * DAY)


@given(st.floats(1, 400), st.floats(1 / 24, 365), st.floats(0.01, 400))
def test_it_is_told_only_after_it_is_due(life: float, before: float, days: float) -> None:
    found = held(days, life)
    if schedule.ends_soon(found, before * DAY, NOW):
        assert schedule.due(found, ("a.test",), before * DAY, NOW)


def test_two_weeks_are_soon_and_of_a_short_life_half_of_what_it_is_renewed_before() -> None:
    assert not schedule.ends_soon(held(14.1), 30 * DAY, NOW)
    assert schedule.ends_soon(held(13.9), 30 * DAY, NOW)
    assert not schedule.ends_soon(held(1.1, life=6), 30 * DAY, NOW)
    assert schedule.ends_soon(held(0.9, life=6), 30 * DAY, NOW)
    assert schedule.days_left(held(7), NOW) == 7
