"""Failed attempts: by address and by name, for so long, and shared by workers."""

import pytest

from angarium.inbound import guesses
from angarium.inbound.guesses import BY_ADDRESS, BY_USER, Guesses
from angarium.policy.shared.node import Shared
from helpers.clock import FakeClock


def made(seconds: float = 100.0) -> tuple[Guesses, Shared, FakeClock]:
    clock = FakeClock()
    shared = Shared(clock)
    return Guesses(shared, seconds), shared, clock


def test_nothing_is_shared_before_the_first_failure() -> None:
    here, shared, _ = made()
    assert not here.blocks_address("192.0.2.1", 1)
    assert not here.blocks_user("tim", "192.0.2.1", 1)
    here.succeeded("tim", "192.0.2.1")
    assert not shared.in_use


def test_an_address_is_closed_after_so_many() -> None:
    here, _, clock = made()
    for _ in range(3):
        here.failed("", "192.0.2.1")
    assert here.blocks_address("192.0.2.1", 3)
    assert not here.blocks_address("192.0.2.1", 4)
    assert not here.blocks_address("192.0.2.1", 0)
    assert not here.blocks_address("192.0.2.2", 1)
    clock.advance(120)
    assert not here.blocks_address("192.0.2.1", 3)


def test_of_ipv6_the_network_of_a_customer_counts() -> None:
    here, _, _ = made()
    here.failed("", "2001:db8::1")
    assert here.blocks_address("2001:db8::2", 1)
    assert not here.blocks_address("2001:db8:0:1::1", 1)
    here.failed("", "::ffff:192.0.2.1")
    assert here.blocks_address("192.0.2.1", 1)


def test_a_name_is_closed_but_for_who_was_let_in() -> None:
    here, _, _ = made()
    here.succeeded("tim", "192.0.2.9")
    for host in range(3):
        here.failed("Tim", f"198.51.100.{host}")
    assert here.blocks_user("tim", "192.0.2.1", 3)
    assert not here.blocks_user("tim", "192.0.2.9", 3)
    assert not here.blocks_user("tim", "192.0.2.1", 0)
    assert not here.blocks_user("tom", "192.0.2.1", 1)


def test_workers_count_together_and_the_console_sees_it() -> None:
    here, shared, _ = made()
    other = Guesses(shared, 100.0)
    here.failed("tim", "192.0.2.1")
    other.failed("tim", "192.0.2.1")
    assert here.blocks_address("192.0.2.1", 2)
    assert {each.name for each in shared.all_series()} == {BY_ADDRESS, BY_USER}


def test_so_many_pairs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "MOST_KNOWN", 2)
    here, _, _ = made()
    for user in ("a", "b", "a", "c"):
        here.succeeded(user, "192.0.2.9")
    for user in ("a", "b", "c"):
        here.failed(user, "198.51.100.1")
    closed = [user for user in ("a", "b", "c") if here.blocks_user(user, "192.0.2.9", 1)]
    assert closed == ["b"]


def test_a_name_as_long_as_it_may_be_is_counted() -> None:
    here, _, _ = made()
    here.failed("n" * 255, "192.0.2.1")
    assert here.blocks_user("N" * 255, "192.0.2.2", 1)
    assert not here.blocks_user("n" * 254, "192.0.2.2", 1)
