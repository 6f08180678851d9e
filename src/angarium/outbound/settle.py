"""The end of every message: delivered, put off, or failed and reported.

The only place which ends a recipient's entry. Whoever attempts a delivery, whatever command fails
mail, ends here; so what we owe and when we no longer owe it can be read on one page.

    settle.delivered(entry, ...)     the peer took it
    settle.failed(entry, error)      an attempt failed: again later, or for good
    settle.give_up(entry, why)       no attempt will be made
    settle.end(entry, reply, kind)   by command or policy

A report to the sender is made durable first and then the entry ends: a crash between the two
reports twice, never not at all.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Final, Protocol

from angarium.core.clock import Clock
from angarium.core.fault import FAULTS, point
from angarium.core.message import Message, Notify, Recipient, context_of
from angarium.core.reply import Reply
from angarium.events.metrics import counter
from angarium.events.schema import Delivery, Discard, Event, PermanentFailure, TransientFailure
from angarium.events.stages import Stages
from angarium.journal.errors import DamageError, SpoolError
from angarium.mail.report.classify import classify
from angarium.mail.report.codes import CLASSES, TRANSIENT
from angarium.mail.report.dsn import Action
from angarium.outbound.bounce import Bounces
from angarium.outbound.errors import BLACKHOLED, BODY_MISSING, DeliveryError
from angarium.outbound.witness import Witness
from angarium.queue.admit import NO_BINDING, NO_DOMAIN, Done, RefusedError
from angarium.queue.detours import Detours
from angarium.queue.entry import UNREAD, Entry, Note
from angarium.queue.line import Key, Line
from angarium.queue.options import Shape
from angarium.queue.retry import GiveUp, give_up, next_due
from angarium.queue.tally import Audit

# Until an entry whose report could not be made durable is worked on again.
REPORT_AGAIN_SECONDS: Final = 60
# Recipients of one transaction fail within this.
TOGETHER_SECONDS: Final = 0.1

DELIVERED: Final = counter("deliveries", "Recipients for whom a host took the message.")
DEFERRED: Final = counter("deferrals", "Attempts after which there is another one, by recipient.")
ENDED: Final = counter(
    "failures",
    "Recipients whose mail ended without a delivery, by bounce class.",
    label="bounce_class",
    values=tuple(str(each) for each in CLASSES),
)

CONFIRMED: Final = point("settle.confirmed", "a peer has taken a message; nothing says so yet")
REPORTED: Final = point("settle.reported", "a report is durable, its entry not yet ended")


class Spool(Protocol):
    """What ends and puts off entries on disk."""

    def settle(self, ident: int, event: Event) -> None: ...

    def defer(self, ident: int, attempts: int, due: int, event: Event | None) -> None: ...

    def rebind(self, ident: int, group: str, binding: str, domain: str, event: None) -> None: ...


class Board(Protocol):
    """What ends and puts off entries in memory."""

    @property
    def detours(self) -> Detours: ...

    @property
    def audits(self) -> Sequence[Audit]: ...

    def shape_of(self, key: Key) -> Shape: ...

    def delay(self, entry: Entry, due: int) -> None: ...

    def ended(self, entry: Entry) -> None: ...

    def damaged(self, entry: Entry, error: DamageError) -> None: ...


class Admission(Protocol):
    """Where reports go in."""

    def inject(self, message: Message, recipients: Sequence[Recipient], done: Done) -> None: ...


class Settle:
    """Ends entries.

    Attributes:
        delivered_count, failed_count, deferred_count: since the start, for status.
        failures: of these failures, by bounce class.
        stages: where messages spend their time.
        note: says over which message a report is made.
        reported: entries by id which wait for the report on them to be durable.
        witness: asks policy at the end of an attempt; None: it has nothing to say.
    """

    __slots__ = (
        "_admit",
        "_board",
        "_bounces",
        "_clock",
        "_last",
        "_random",
        "_spool",
        "deferred_count",
        "delivered_count",
        "failed_count",
        "failures",
        "note",
        "reported",
        "stages",
        "witness",
    )

    def __init__(
        self,
        spool: Spool,
        board: Board,
        admit: Admission,
        bounces: Bounces,
        clock: Clock,
        random: Random,
    ) -> None:
        self._spool = spool
        self._board = board
        self._admit = admit
        self._bounces = bounces
        self._clock = clock
        self._random = random
        self.note: Note = UNREAD
        self.reported: dict[int, Entry] = {}
        # Of the last failure: batch, attempts, options, time, when it is tried again.
        self._last: tuple[int, int, Shape | None, float, int | None] = (0, 0, None, 0.0, None)
        self.delivered_count = self.failed_count = self.deferred_count = 0
        self.failures: Counter[int] = Counter()
        self.stages = Stages()
        self.witness: Witness | None = None

    def delivered(
        self,
        entry: Entry,
        remote: str,
        connection: int,
        reply: Reply,
        size: int,
        *,
        reports: bool = False,
        tls: str = "",
    ) -> None:
        """The peer took the message for this recipient.

        Args:
            remote: endpoint of the peer.
            connection: id of the connection to it.
            size: octets as they were sent.
            reports: the peer was asked to report success itself (it offers DSN).
            tls: what the connection is, as events have it.
        """
        FAULTS.hit(CONFIRMED)
        message, recipient, line = entry.message, entry.recipient, entry.line
        now = self._clock.time()
        self.delivered_count += 1
        line.sent += 1
        self.stages.whole.note(now - message.received_at)
        for audit in self._board.audits:
            audit.delivered(line.domain, self.stages.took)
        if self.witness is not None:
            reply = self.witness.delivered(entry, reply, now)
        event = Delivery(
            now,
            entry.id,
            message.batch,
            connection,
            entry.attempts,
            recipient.address,
            message.sender,
            line.domain,
            size,
            line.group,
            line.binding,
            message.received_at,
            remote,
            str(reply),
            message.connection,
            message.protocol,
            message.pathway,
            context_of(message, recipient),
            tls,
        )
        if recipient.notify and recipient.notify & Notify.SUCCESS and not reports:
            self.note.enter(entry.id)
            report = self._bounces.report(entry, Action.RELAYED, reply, remote, now)
            self.note.leave()
            if report is not None:
                # Without the report it is delivered all the same.
                self.reported[entry.id] = entry
                done = partial(self._succeeded, entry, event)
                self._admit.inject(report.message, report.recipients, done)
                return
        self._spool.settle(entry.id, event)
        self._board.ended(entry)

    def failed(self, entry: Entry, error: DeliveryError, kind: str = "bounced") -> None:
        """An attempt, or the search for a host, failed for this recipient."""
        for audit in self._board.audits:
            audit.failed(entry.line.domain, temporary=error.temporary)
        if not error.temporary:
            self._end(entry, error.reply, kind, error)
            return
        shape, now = entry.line.shape, self._clock.time()
        made = entry.attempts + 1
        received_at = entry.message.received_at
        due = self._next_due(entry, shape, made, now)
        if due is None:
            why = give_up(shape, made, received_at, now) or GiveUp.RETRIES
            self._end(entry, why.value, "expired", error)
            return
        away = self._board.detours.delayed(entry.line)
        if away is not None:
            there = self._board.shape_of(away)
            due = next_due(there, made, received_at, now, self._random) or due
        self._defer(entry, error, made, due, now, shape, away)

    def _next_due(self, entry: Entry, shape: Shape, made: int, now: float) -> int | None:
        """Return when to try again; recipients of a content who failed together stay together."""
        message = entry.message
        batch, count, options, at, due = self._last
        if (
            batch != message.batch
            or count != made
            or options is not shape
            or not 0.0 <= now - at < TOGETHER_SECONDS
        ):
            due = next_due(shape, made, message.received_at, now, self._random)
            self._last = (message.batch, made, shape, now, due)
        return due

    def damaged(self, entry: Entry, error: DamageError) -> None:
        """The content of an entry that was taken is damaged: it is put aside, and kept."""
        self._board.damaged(entry, error)

    def give_up(self, entry: Entry, why: GiveUp) -> None:
        """End an entry that was taken and will not be attempted."""
        self._end(entry, why.value, "expired", DeliveryError(why.value))

    def unreadable(self, ident: int, line: Line, attempts: int) -> None:
        """End an entry whose message is damaged (option unlink_on_spool_in_failure).

        Nothing is known of it but what its id and its line say: nobody can be told.
        """
        event = Discard(
            self._clock.time(), ident, 0, 0, attempts, "", "", line.domain, 0, line.group,
            line.binding, float(ident >> 32), str(BODY_MISSING),
        )  # fmt: skip
        self.failed_count += 1
        line.failed += 1
        self._spool.settle(ident, event)

    def blackhole(self, entry: Entry) -> None:
        """End an entry of a line whose mail is not to be delivered (option blackhole)."""
        if entry.line.shape.blackhole == "internal":
            self._end(entry, BLACKHOLED, "discarded", DeliveryError(BLACKHOLED), report=False)
        else:
            self._end(entry, BLACKHOLED, "failed", DeliveryError(BLACKHOLED))

    def end(self, entry: Entry, reply: Reply, kind: str = "failed", *, report: bool = True) -> None:
        """End an entry that was taken: an operator or a policy wants it so."""
        self._end(entry, reply, kind, DeliveryError(reply), report=report)

    def _defer(
        self,
        entry: Entry,
        error: DeliveryError,
        made: int,
        due: int,
        now: float,
        shape: Shape,
        away: Key | None,
    ) -> None:
        message, recipient, line = entry.message, entry.recipient, entry.line
        reply = error.reply
        if self.witness is not None:
            reply = self.witness.deferred(entry, reply, now)
            dropped = self.witness.requeued(entry, now)
            if dropped is not None:
                self._end(entry, dropped, "discarded", error, report=False)
                return
        self.deferred_count += 1
        event = TransientFailure(
            now,
            entry.id,
            message.batch,
            error.connection,
            entry.attempts,
            recipient.address,
            message.sender,
            line.domain,
            error.octets,
            message.size,
            line.group,
            line.binding,
            message.received_at,
            error.remote,
            int(error.stage),
            str(reply),
            float(due),
            TRANSIENT,
            message.connection,
            message.protocol,
            message.pathway,
            context_of(message, recipient),
            error.tls,
        )
        self._spool.defer(entry.id, made, due, event)
        if away is not None:
            self._spool.rebind(entry.id, *away, None)
        if self._bounces.delay_due(entry, shape, due):
            until = message.received_at + shape.message_expiration
            self.note.enter(entry.id)
            report = self._bounces.report(
                entry, Action.DELAYED, error.reply, error.remote, now, until
            )
            self.note.leave()
            if report is not None:
                self._admit.inject(report.message, report.recipients, _whatever)
        entry.attempts = made
        self._board.delay(entry, due)

    def _end(
        self,
        entry: Entry,
        reply: Reply,
        kind: str,
        error: DeliveryError,
        *,
        report: bool = True,
    ) -> None:
        message, recipient, line = entry.message, entry.recipient, entry.line
        now = self._clock.time()
        if self.witness is not None:
            reply = self.witness.failed(entry, reply, now)
        event = PermanentFailure(
            now,
            entry.id,
            message.batch,
            error.connection,
            entry.attempts,
            recipient.address,
            message.sender,
            line.domain,
            error.octets,
            message.size,
            line.group,
            line.binding,
            message.received_at,
            error.remote,
            int(error.stage),
            str(reply),
            classify(reply),
            kind,
            message.connection,
            message.protocol,
            message.pathway,
            context_of(message, recipient),
            error.tls,
        )
        self.note.enter(entry.id)
        made = self._bounces.failure(entry, reply, error, now) if report else None
        self.note.leave()
        if made is None:
            self._finish(entry, event)
        else:
            self.reported[entry.id] = entry
            done = partial(self._reported, entry, event)
            self._admit.inject(made.message, made.recipients, done)

    def _reported(self, entry: Entry, event: PermanentFailure, refused: SpoolError | None) -> None:
        """The report on a failure is durable; or it is not, then the entry stays ours."""
        FAULTS.hit(REPORTED)
        del self.reported[entry.id]
        if refused is None or refused is NO_BINDING or refused is NO_DOMAIN or _never(refused):
            # There is no way for this report and never will be: nobody can be told.
            self._finish(entry, event)
        else:
            self._board.delay(entry, int(event.at) + REPORT_AGAIN_SECONDS)

    def _finish(self, entry: Entry, event: PermanentFailure) -> None:
        self.failed_count += 1
        self.failures[event.classification] += 1
        entry.line.failed += 1
        self._spool.settle(entry.id, event)
        self._board.ended(entry)

    def _succeeded(self, entry: Entry, event: Delivery, refused: SpoolError | None) -> None:
        del self.reported[entry.id]
        self._spool.settle(entry.id, event)
        self._board.ended(entry)


def _never(refused: SpoolError) -> bool:
    """Say whether policy will not have this report, now or later."""
    reply = refused.reply if isinstance(refused, RefusedError) else None
    return reply is not None and reply.permanent


def _whatever(refused: SpoolError | None) -> None:
    """A report of delay which cannot be made is none; the message is still with us."""
