"""Hosts with which TLS is left out: for a while, and not too many."""

from angarium.outbound import broken
from angarium.outbound.broken import Broken
from helpers.clock import FakeClock

HERE = ("192.0.2.1", 25)


def test_a_host_is_left_out_for_its_time() -> None:
    clock = FakeClock()
    known = Broken(clock)
    known.note(HERE, "unexpected eof", 10.0)
    found = known.fault(HERE)
    assert found is not None
    assert found.reason == "unexpected eof"
    assert known.fault(("192.0.2.1", 26)) is None
    clock.advance(10.0)
    assert known.fault(HERE) is None
    assert len(known) == 0


def test_without_a_time_nothing_is_remembered() -> None:
    known = Broken(FakeClock())
    known.note(HERE, "eof", 0.0)
    assert known.fault(HERE) is None


def test_all_can_be_forgotten() -> None:
    known = Broken(FakeClock())
    known.note(HERE, "eof", 10.0)
    assert known.forget() == 1
    assert known.fault(HERE) is None


def test_what_is_over_goes_first_then_the_oldest() -> None:
    clock = FakeClock()
    known = Broken(clock)
    known.note(HERE, "eof", 1.0)
    for number in range(broken.MOST - 1):
        known.note((f"h{number}", 25), "eof", 100.0)
    clock.advance(2.0)
    known.note(("last", 25), "eof", 100.0)
    assert len(known) == broken.MOST
    assert known.fault(("h0", 25)) is not None
    known.note(("one more", 25), "eof", 100.0)
    assert len(known) == broken.MOST
    assert known.fault(("h0", 25)) is None
