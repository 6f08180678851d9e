"""How long a message spends where: a histogram for each stage of its way.

    reception       from the answer to MAIL until its 250: the peer's pace is in it
      commit        ... of these, from its last octet until it is on the disk
    wait            from the 250 until a connection takes it for its first attempt
    connect         from the connection request until the host has greeted us
    delivery        from its first command on a connection until the last answer
    end to end      from the last octet of its reception until a host has taken it

Rule: **a stage is noted by a message, a transaction or a connection, with the clock of the wall**,
which the message has in it already; a clock that is set back makes a stage of no time.
"""

import time
from collections.abc import Callable
from typing import Final

from angarium.events.metrics import Durations, Metrics, histogram

RECEPTION: Final = histogram("stage_reception", "From the answer to MAIL until the 250.")
COMMIT: Final = histogram("stage_commit", "From the last octet of a message until it is on disk.")
WAIT: Final = histogram("stage_wait", "From the 250 until a connection takes it the first time.")
CONNECT: Final = histogram("stage_connect", "From a connection request until the host greeted us.")
DELIVERY: Final = histogram("stage_delivery", "From the first command for it to the last answer.")
WHOLE: Final = histogram("stage_end_to_end", "From its last octet until a host has taken it.")


class Stages:
    """The histograms of a process.

    Args:
        metrics: where they belong; of its own if it is left out.
        now: Unix time.

    Attributes:
        took: seconds of the transaction which has ended last, while its results are told.
    """

    __slots__ = ("commit", "connect", "delivery", "now", "reception", "took", "wait", "whole")

    def __init__(
        self, metrics: Metrics | None = None, now: Callable[[], float] = time.time
    ) -> None:
        metrics = metrics or Metrics()
        self.now = now
        self.took = 0.0
        self.reception: Durations = metrics.durations(RECEPTION)
        self.commit = metrics.durations(COMMIT)
        self.wait = metrics.durations(WAIT)
        self.connect = metrics.durations(CONNECT)
        self.delivery = metrics.durations(DELIVERY)
        self.whole = metrics.durations(WHOLE)

    def taken(self, since: float, whole: float) -> None:
        """A message got its 250; MAIL was answered and its last octet came at these times."""
        now = self.now()
        self.reception.note(now - since)
        self.commit.note(now - whole)

    def begins(self, received_at: float, attempts: int) -> float:
        """A connection takes a message; return the time."""
        now = self.now()
        if not attempts:
            self.wait.note(now - received_at)
        return now

    def attempted(self, begun: float) -> float:
        """A transaction which began at that time has ended; return how long it took."""
        self.took = took = self.now() - begun
        self.delivery.note(took)
        return took
