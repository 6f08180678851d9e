"""Pauses of addresses."""

from angarium.outbound.hosts import MOST, Hosts
from helpers.clock import FakeClock


def test_an_address_rests_for_its_pause_and_then_is_forgotten() -> None:
    clock = FakeClock()
    hosts = Hosts(clock)
    hosts.failed("192.0.2.1", "", 120.0)
    assert hosts.paused_until("192.0.2.1", "") == clock.monotonic() + 120.0
    assert hosts.paused_until("192.0.2.1", "198.51.100.7") == 0.0
    clock.advance(120.0)
    assert hosts.paused_until("192.0.2.1", "") == 0.0
    assert len(hosts) == 0


def test_success_ends_a_pause_and_a_pause_of_zero_is_none() -> None:
    hosts = Hosts(FakeClock())
    hosts.failed("192.0.2.1", "", 120.0)
    hosts.reached("192.0.2.1", "")
    hosts.failed("192.0.2.2", "", 0.0)
    assert len(hosts) == 0


def test_memory_is_bounded() -> None:
    hosts = Hosts(FakeClock())
    for number in range(MOST + 10):
        hosts.failed(str(number), "", 120.0)
    assert len(hosts) <= MOST
    assert hosts.paused_until(str(MOST + 9), "") > 0
    assert hosts.pace("0") is None
    assert hosts.pace(str(MOST + 9)) is not None


def test_how_long_an_address_takes_is_an_average_in_which_the_newest_counts_most() -> None:
    hosts = Hosts(FakeClock())
    hosts.reached("192.0.2.1", "", 1.0)
    hosts.reached("192.0.2.1", "", 2.0)
    hosts.served("192.0.2.1", 4, 2.0)
    hosts.served("192.0.2.1", 0, 2.0)
    pace = hosts.pace("192.0.2.1")
    assert pace is not None
    assert (pace.connect, pace.delivery, pace.failed_at) == (1.25, 0.5, 0.0)
