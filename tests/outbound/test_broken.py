"""Hosts with which TLS is left out: for a while, not too many, and on the whole node."""

import pytest

from angarium.outbound import broken
from angarium.outbound.broken import Broken
from angarium.policy.shared import node
from angarium.policy.shared.node import Shared
from helpers.clock import START, FakeClock

HERE = ("192.0.2.1", 25)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def tell(here: Shared, there: Shared) -> None:
    """Tell a worker all that has changed at another, as `run/spread` does."""
    for table in here.take_changed():
        told = there.told(table.shape)
        assert told is not None
        told.merge((here.number, 1), table.changes())


def test_a_host_is_left_out_for_its_time(clock: FakeClock) -> None:
    known = Broken(Shared(clock))
    known.note(HERE, "unexpected eof", 10.0)
    found = known.fault(HERE)
    assert found is not None
    assert (found.reason, found.until) == ("unexpected eof", clock.time() + 10.0)
    assert known.fault(("192.0.2.1", 26)) is None
    clock.advance(10.0)
    assert known.fault(HERE) is None


def test_without_a_time_nothing_is_remembered_or_shared(clock: FakeClock) -> None:
    shared = Shared(clock)
    known = Broken(shared)
    known.note(HERE, "eof", 0.0)
    assert known.fault(HERE) is None
    known.forget()
    assert not shared.in_use


def test_what_one_worker_has_found_out_others_know(clock: FakeClock) -> None:
    one, two = Shared(clock, 0), Shared(clock, 1)
    there = Broken(two)
    there.share()
    Broken(one).note(HERE, "eof", 10.0)
    tell(one, two)
    found = there.fault(HERE)
    assert found is not None
    assert (found.reason, found.until) == ("eof", START + 10.0)
    for table in two.tables:
        table.gone((0, 1))
    assert there.fault(HERE) is not None, "it has died with the worker"


def test_what_was_told_before_tls_was_wanted_is_known_then(clock: FakeClock) -> None:
    one, two = Shared(clock, 0), Shared(clock, 1)
    Broken(one).note(HERE, "eof", 10.0)
    tell(one, two)
    there = Broken(two)
    assert there.fault(HERE) is None
    there.share()
    assert there.fault(HERE) is not None


def test_what_is_forgotten_is_forgotten_everywhere(clock: FakeClock) -> None:
    one, two = Shared(clock, 0), Shared(clock, 1)
    here, there = Broken(one), Broken(two)
    there.share()
    here.note(HERE, "eof", 100.0)
    here.note(("192.0.2.2", 25), "eof", 100.0)
    tell(one, two)
    clock.advance(1.0)
    there.forget()
    tell(two, one)
    assert here.fault(HERE) is None
    assert here.fault(("192.0.2.2", 25)) is None
    clock.advance(1.0)
    here.note(HERE, "eof again", 100.0)
    tell(one, two)
    assert there.fault(HERE) is not None


def test_the_oldest_goes_where_there_are_too_many(clock: FakeClock) -> None:
    shared = Shared(clock)
    known = Broken(shared)
    known.note(HERE, "eof", 1.0)
    for number in range(broken.MOST - 1):
        known.note((f"h{number}", 25), "eof", 100.0)
    clock.advance(2.0)
    known.note(("last", 25), "eof", 100.0)  # in the place of what is over
    assert known.fault(("h0", 25)) is not None
    known.note(("one more", 25), "eof", 100.0)
    assert known.fault(("h0", 25)) is None
    [kept] = shared.all_values()
    assert (kept.name, len(kept)) == (broken.NAME, broken.MOST)


def test_others_text_is_cut_and_kept_as_text(clock: FakeClock) -> None:
    known = Broken(Shared(clock))
    known.note(HERE, "\udcff" + "x" * 100_000, 10.0)
    found = known.fault(HERE)
    assert found is not None
    assert found.reason.startswith("\\xffxxx")
    assert len(found.reason) <= broken.MOST_SAID + len("\\xff")


def test_where_no_more_can_be_shared_tls_is_tried_each_time(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "MOST_TABLES", 0)
    known = Broken(Shared(clock))
    known.note(HERE, "eof", 10.0)
    assert known.fault(HERE) is None
