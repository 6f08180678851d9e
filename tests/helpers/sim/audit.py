"""What must have become of every recipient's entry, reckoned apart from the server.

It hears what went over the walls: what was given to the spool and acknowledged, what hosts took,
what the spool recorded, what a restart found. It fails as soon as these do not agree:

    an entry that was acknowledged is there until it ends, and ends once
    what is delivered was taken by a host, and twice only where nobody could know better
    a delayed entry is tried again when its schedule says so
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from angarium.core.message import Recipient
from angarium.events.schema import Delivery, Event, PermanentFailure, TransientFailure
from angarium.wire.smtp_transaction import Stage
from helpers.sim.loop import Clock

EARLY_SECONDS: Final = 2.0  # whole seconds, and the tick of the timer
LATE_SECONDS: Final = 10.0
_UNSURE: Final = frozenset({"pending", "refused"})


@dataclass(slots=True)
class Fate:
    """An entry.

    Attributes:
        state: "pending" until its put is durable or "refused", "live", "ended".
        number: of the record that ended it, in the state log of its shard.
        due: when it is tried again, by the system clock; soonest, latest: monotonic.
        excuses: how often nobody could know whether the host had it.
    """

    address: str
    state: str = "pending"
    attempts: int = 0
    number: int = 0
    due: float = 0.0
    soonest: float = 0.0
    latest: float = 0.0
    copies: int = 0
    excuses: int = 0
    kind: str = ""
    doubtful: bool = False  # its end was not on the disk when its worker was killed
    report: bool = False


class Audit:
    def __init__(self, clock: Clock, fail: Callable[[str], None]) -> None:
        self._clock = clock
        self._fail = fail
        self.fates: dict[int, Fate] = {}
        self.by_address: dict[str, int] = {}
        self.counts: Counter[str] = Counter()
        self.early = False  # a flush is under way, or the like: anything may come early

    # What the spool was told.

    def put(self, recipients: Sequence[Recipient], *, report: bool) -> None:
        for each in recipients:
            fate = self.fates[each.id] = Fate(each.address, report=report)
            if not report:
                self.by_address[fate.address] = each.id

    def durable(self, recipients: Sequence[Recipient], refused: bool) -> None:
        for each in recipients:
            if refused:
                if each.id in self.fates:
                    self.fates[each.id].state = "refused"
                self.counts["refused"] += 1
            else:
                self.fates[each.id].state = "live"
                self.counts["accepted"] += 1

    def settled(self, ident: int, event: Event, number: int) -> None:
        fate = self.fates[ident]
        if fate.state != "live":
            self._fail(f"{fate} ends, and was {fate.state}")
        if isinstance(event, Delivery):
            if not fate.report and not fate.copies:
                self._fail(f"{fate} is delivered, and no host took it")
            fate.kind = "delivered"
            self._timely(fate, "a delivery")
        else:
            assert isinstance(event, PermanentFailure)
            fate.kind = event.kind
        fate.state, fate.number = "ended", number
        self.counts[fate.kind] += 1

    def deferred(
        self,
        ident: int,
        attempts: int,
        due: int,
        event: Event | None,
        schedule: tuple[float, float, float],
    ) -> None:
        """An attempt failed.

        Args:
            schedule: retry_interval, max_retry_interval, and when the entry expires.
        """
        fate = self.fates[ident]
        if fate.state != "live":
            self._fail(f"{fate} is put off, and was {fate.state}")
        if attempts != fate.attempts + 1:
            self._fail(f"{fate}: attempt {attempts} follows attempt {fate.attempts}")
        interval, cap, expires = schedule
        now = self._clock.time()
        wait = min(interval * 2 ** (attempts - 1), cap)
        least, most = min(now + wait, max(expires, now)), now + wait + 2.5
        if not least - 1.0 <= due <= most:
            self._fail(f"{fate}: attempt {attempts} waits {due - now:.1f} s and not {wait:.1f}")
        self._timely(fate, "an attempt")
        fate.attempts = attempts
        if isinstance(event, TransientFailure) and event.stage >= Stage.BODY:
            fate.excuses += 1
        self.counts["deferred"] += 1

    def delayed(self, ident: int, due: float) -> None:
        """An entry goes into the timer, until a time of the system clock."""
        fate = self.fates[ident]
        fate.due = due
        fate.soonest = self._clock.now + due - self._clock.time()
        fate.latest = max(fate.soonest, self._clock.now)
        if self.early:
            fate.soonest = 0.0

    def at_once(self) -> None:
        """From now on, and while `early` is set, anything may be tried before it is due."""
        for fate in self.fates.values():
            fate.soonest = 0.0

    def _timely(self, fate: Fate, what: str) -> None:
        now = self._clock.now
        if now < fate.soonest - EARLY_SECONDS and self._clock.time() < fate.due - EARLY_SECONDS:
            self._fail(f"{fate}: {what} comes {fate.soonest - now:.1f} s before it is due")

    # What hosts took.

    def taken(self, address: str, *, heard: bool) -> None:
        """A host took it; `heard`: it said so. Else it may come again, recorded failure or not."""
        ident = self.by_address.get(address)
        if ident is None:
            return  # A report, or mail that was never acknowledged and is not known to be put.
        fate = self.fates[ident]
        fate.copies += 1
        fate.excuses += not heard
        self.counts["copies"] += 1

    # Lives of workers.

    def killed(self, shards: dict[int, int], hands: Sequence[int]) -> None:
        """A worker died.

        Args:
            shards: its shards, with the number of the last record of state that is written.
            hands: entries which hosts may have taken, and nothing says so.
        """
        for ident in hands:
            self.fates[ident].excuses += 1
        for ident, fate in self.fates.items():
            written = shards.get(ident >> 24 & 0xFF)
            if written is None:
                continue
            fate.doubtful |= fate.state == "ended" and fate.number > written

    def found(self, ident: int, attempts: int, due: int) -> None:
        """A worker found an entry when it took a shard over."""
        fate = self.fates.get(ident)
        if fate is None:
            self._fail(f"an entry is found which nobody put: {ident:x}")
            return
        if fate.state == "ended":
            if not fate.doubtful:
                self._fail(f"{fate} ended, and is found again")
            fate.excuses += 1
            self.counts["ended in doubt"] += 1
            self.counts[fate.kind] -= 1
        elif fate.state in _UNSURE:
            # A failed sync says nothing of what is on the disk.
            self.counts["accepted"] += 1
            self.counts["unacknowledged"] += 1
        elif fate.attempts > attempts + 1:
            self._fail(f"{fate} is found with {attempts} attempts")
        fate.state, fate.attempts, fate.doubtful, fate.kind = "live", attempts, False, ""
        now = self._clock
        fate.due = due
        wait = max(due - now.time(), 0.0)
        fate.soonest = min(fate.soonest, now.now + wait)
        fate.latest = now.now + wait

    def recovered(self, shard: int, there: Callable[[int], bool]) -> None:
        """A worker has found all of a shard."""
        for ident, fate in list(self.fates.items()):
            if ident >> 24 & 0xFF != shard:
                continue
            fate.doubtful = False
            if there(ident):
                if fate.state != "live":
                    self._fail(f"{fate} is there, and was not found")
            elif fate.state == "live":
                self._fail(f"{fate} was acknowledged, and is lost")
            elif fate.state in _UNSURE:
                del self.fates[ident]
                self.by_address.pop(fate.address, None)

    # At the end.

    def over(self) -> None:
        for ident, fate in self.fates.items():
            if fate.state not in {"ended", "refused"}:
                self._fail(f"{ident:x} {fate} has not ended")
            if fate.copies > 1 + fate.excuses:
                self._fail(f"{fate} was taken {fate.copies} times")
        ends = sum(self.counts[each] for each in ("delivered", "bounced", "expired", "failed"))
        if ends != self.counts["accepted"]:
            self._fail(f"{self.counts['accepted']} were accepted, {ends} ended: {self.counts}")
