"""Who tries passwords has to wait; others do not."""

import pytest

from angarium.console import attempts
from angarium.console.attempts import AT_ONCE, SECONDS, Attempts
from helpers.clock import FakeClock


def test_a_few_fail_at_once_and_then_one_in_a_while() -> None:
    clock = FakeClock()
    tried = Attempts(clock)
    for _ in range(AT_ONCE):
        assert tried.wait("one") == 0
        tried.failed("one")
    assert tried.wait("one") == pytest.approx(SECONDS)
    assert tried.wait("two") == 0
    clock.advance(SECONDS)
    assert tried.wait("one") == 0
    tried.failed("one")
    assert tried.wait("one") == pytest.approx(SECONDS)
    clock.advance(AT_ONCE * SECONDS)
    assert tried.wait("one") == 0


def test_who_gets_in_has_all_his_attempts_again() -> None:
    tried = Attempts(FakeClock())
    for _ in range(AT_ONCE):
        tried.failed("one")
    tried.succeeded("one")
    assert tried.wait("one") == 0


def test_only_so_many_addresses_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MAX_ADDRESSES", 2)
    tried = Attempts(FakeClock())
    for address in ("one", "two", "three") * AT_ONCE:
        tried.failed(address)
    assert len(tried._full_at) == 2
