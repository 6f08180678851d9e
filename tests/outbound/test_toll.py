"""What the rate of a host lets a connection send, and what is taken back."""

from typing import Any

import pytest

from angarium.config.kinds import Throttle
from angarium.core.units import Rate
from angarium.outbound.toll import Toll
from angarium.queue.entry import Entry
from angarium.queue.throttle import Ledger, LocalLedger
from helpers.queues import Queues

SLOW = Throttle(Rate(1, 60), "host")


class Paying:
    """Connections to one host, opened as the dialer does it."""

    def __init__(self, **shape: Any) -> None:
        self.queues = Queues(**shape)
        self.ledger: Ledger = LocalLedger(self.queues.clock)

    def opened(self, throttle: Throttle = SLOW) -> Toll:
        assert self.ledger.take(throttle.key, throttle.rate) == 0.0
        return Toll(throttle, self.ledger)

    def batch(self, count: int = 1) -> list[Entry]:
        return self.queues.put(*["a.test"] * count).take(count)

    def wait(self, throttle: Throttle = SLOW) -> float:
        return self.ledger.take(throttle.key, throttle.rate)


def test_the_first_message_is_paid_and_the_next_one_waits() -> None:
    paying = Paying()
    toll = paying.opened()
    assert toll.take(paying.batch()) == 0.0
    assert toll.take(paying.batch()) == pytest.approx(60.0)
    paying.queues.clock.advance(60.0)
    assert toll.take(paying.batch()) == 0.0


def test_all_recipients_of_the_first_message_count() -> None:
    paying = Paying()
    assert paying.opened().take(paying.batch(3)) == 0.0
    assert paying.wait() == pytest.approx(180.0)


def test_a_connection_which_sends_nothing_costs_nothing() -> None:
    paying = Paying()
    toll = paying.opened()
    toll.refund()
    toll.refund()
    assert paying.wait() == 0.0
    assert paying.wait() == pytest.approx(60.0)


def test_what_was_sent_is_not_taken_back() -> None:
    paying = Paying()
    toll = paying.opened()
    toll.take(paying.batch())
    toll.refund()
    assert paying.wait() == pytest.approx(60.0)


def test_a_host_which_says_no_does_not_use_up_the_rate_of_the_domain() -> None:
    domain = Throttle(Rate(1, 10), "domain")
    paying = Paying(outbound_throttle_messages=domain)
    queues = paying.queues
    paying.ledger = queues.board.ledger
    toll = paying.opened()
    first = paying.batch()
    assert toll.take(first) == 0.0
    queues.later(10.0)
    second = paying.batch()
    assert second
    assert toll.take(second) > 0.0
    assert queues.board.ledger.take(domain.key, domain.rate) == 0.0
