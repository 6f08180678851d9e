"""What the rate of a host lets one connection send (outbound_throttle_messages in a host stanza).

The first message is counted when the connection is opened (`dial`), so it is sent whatever was
counted meanwhile; each further one is asked for before it is sent. Rule: **what was counted and is
not sent is taken back**, here of the host, and of the line whose own rate had allowed it.
"""

from collections.abc import Sequence
from typing import Final

from angarium.config.kinds import Throttle
from angarium.queue.entry import Entry
from angarium.queue.throttle import Ledger

# A connection is kept until its next message if that is no longer: rates are kept evenly, so that
# at ten a second a tenth of a second is between any two messages.
PACE_SECONDS: Final = 1.0


class Toll:
    """The rate of a host, for one connection."""

    __slots__ = ("_ledger", "_paid", "throttle")

    def __init__(self, throttle: Throttle, ledger: Ledger) -> None:
        self.throttle = throttle
        self._ledger = ledger
        self._paid = 1  # messages counted and not sent yet

    def take(self, batch: Sequence[Entry]) -> float:
        """Count a batch; return 0.0, or the seconds after which it may be sent."""
        throttle, ledger, count = self.throttle, self._ledger, len(batch)
        paid, self._paid = self._paid, 0
        if paid:
            if count != paid:
                ledger.adjust(throttle.key, throttle.rate, count - paid)
            return 0.0
        seconds = ledger.take(throttle.key, throttle.rate, count)
        spent = batch[0].line.shape.outbound_throttle_messages
        if seconds > 0.0 and spent is not None:
            ledger.adjust(spent.key, spent.rate, -count)
        return seconds

    def refund(self) -> None:
        """Nothing more is sent: take back what was counted for it."""
        if self._paid:
            self._ledger.adjust(self.throttle.key, self.throttle.rate, -self._paid)
            self._paid = 0
