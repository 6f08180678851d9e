"""Reports to senders: whether there is one, and what is in it (RFC 3461, 3464).

Loops are impossible: a report has the null sender, and about mail with a null sender there is no
report, except to the address of mdn_failures_notify, and to that only about mail from outside.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

from angarium.core.address import routing_domain, split
from angarium.core.body import MemoryBody
from angarium.core.errors import Error
from angarium.core.message import Message, Notify, Recipient, Ret, Trait
from angarium.core.reply import Reply
from angarium.mail.report.dsn import Action, Notice, Outcome, build
from angarium.outbound.errors import DeliveryError
from angarium.outbound.witness import Witness
from angarium.queue.entry import Entry
from angarium.queue.options import Shape
from angarium.queue.retry import delay_notice_due, retry_wait

INTERNAL: Final = "internal"  # Message.protocol of what we make ourselves
# A header longer than this comes back cut; what is accepted is bounded elsewhere, and far below.
MAX_HEADER: Final = 65536


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it goes to `queue/admit`."""

    message: Message
    recipients: list[Recipient]


@dataclass(frozen=True, slots=True)
class About:
    """What a report is about; `entry` is None where there never was one."""

    message: Message
    recipient: Recipient
    shape: Shape
    ident: int
    entry: Entry | None


class Bounces:
    """Decides and makes reports.

    Args:
        host: our name.
        size_limit: option bounce_size_limit: octets of an original which are returned whole.

    Attributes:
        witness: lets policy see a report before it is sent; None: it has nothing to say.
    """

    __slots__ = ("_random", "host", "size_limit", "witness")

    def __init__(self, host: str, random: Random, size_limit: int = 50_000) -> None:
        self.host = host
        self.size_limit = size_limit
        self._random = random
        self.witness: Witness | None = None

    def failure(
        self, entry: Entry, reply: Reply, error: DeliveryError, now: float
    ) -> Report | None:
        """Return the report of a failure, or None if nobody is to be told."""
        shape, notify = entry.line.shape, entry.recipient.notify
        if not shape.generate_bounces or (notify and not notify & Notify.FAILURE):
            return None
        if error.reply is not reply and error.remote:
            # Its time is over; what the host said last explains why.
            reply = Reply(reply.code, f"{reply.text}\nlast: {error.reply}", reply.enhanced)
            return self.report(entry, Action.FAILED, reply, "", now)
        return self.report(entry, Action.FAILED, reply, error.remote, now)

    def delay_due(self, entry: Entry, shape: Shape, due: int) -> bool:
        """Say whether a report of delay is to be made at a failed attempt.

        An attempt is placed by when the next one is due, less the wait, for that is what a slot
        keeps of it. So the attempt after it knows to the second where it stood, and a report is
        neither missed nor made twice.

        Args:
            due: when it is tried again.
        """
        notify = entry.recipient.notify
        if not (notify & Notify.DELAY if notify else shape.generate_delay_dsn):
            return False
        received_at = entry.message.received_at
        interval, cap = shape.retry_interval, shape.max_retry_interval
        before = received_at
        if entry.attempts:
            before = max(before, entry.due - retry_wait(entry.attempts, interval, cap))
        after = due - retry_wait(entry.attempts + 1, interval, cap)
        return delay_notice_due(shape, received_at, before, after)

    def report(
        self,
        entry: Entry,
        action: Action,
        reply: Reply,
        remote: str,
        now: float,
        until: float = 0.0,
    ) -> Report | None:
        """Return a report about one recipient, or None if there is nobody to tell."""
        about = About(entry.message, entry.recipient, entry.line.shape, entry.id, entry)
        return self._report(about, action, reply, remote, now, until)

    def refused(
        self, message: Message, recipient: Recipient, shape: Shape, reply: Reply, now: float
    ) -> Report | None:
        """Return the report about a recipient whom policy refused while it took the others."""
        notify = recipient.notify
        if not shape.generate_bounces or (notify and not notify & Notify.FAILURE):
            return None
        about = About(message, recipient, shape, message.batch, None)
        return self._report(about, Action.FAILED, reply, "", now, 0.0)

    def _report(
        self,
        about: About,
        action: Action,
        reply: Reply,
        remote: str,
        now: float,
        until: float,
    ) -> Report | None:
        message, recipient, shape = about.message, about.recipient, about.shape
        to = message.sender or self._instead(message, shape, action)
        domain = routing_domain(split(to)[1]) if to else None
        if domain is None:
            return None
        original, whole = self._original(message, shape, action)
        outcome = Outcome(
            recipient.address, action, reply, recipient.orcpt, remote, now if remote else 0.0, until
        )
        content = build(
            Notice(
                host=self.host,
                daemon=shape.mailerdaemon or f"mailer-daemon@{self.host}",
                sender=to,
                outcomes=(outcome,),
                date=now,
                arrived=message.received_at,
                token=f"{about.ident:x}.{self._random.getrandbits(64):016x}",
                envid=message.envid,
                original=original,
                whole=whole,
                international=bool(message.traits & Trait.SMTPUTF8),
            )
        )
        if self.witness is not None and about.entry is not None:
            changed = self.witness.report(about.entry, action, content)
            if changed is None:
                return None
            content = changed
        made = Message(
            "",
            MemoryBody(content),
            # What had to stay secure stays so when it goes back (RFC 8689 section 5).
            traits=_traits(content, to) | message.traits & Trait.REQUIRETLS,
            protocol=INTERNAL,
            received_at=now,
        )
        # Nobody wants a report about a report (RFC 3461 section 6.2).
        return Report(made, [Recipient(to, domain, notify=Notify.NEVER)])

    def _instead(self, message: Message, shape: Shape, action: Action) -> str:
        """Return who is told of the failure of mail without a sender; "" for nobody."""
        if action is not Action.FAILED or message.protocol == INTERNAL:
            return ""
        return shape.mdn_failures_notify or ""

    def _original(self, message: Message, shape: Shape, action: Action) -> tuple[bytes, bool]:
        """Return what goes back of the message, and whether that is all of it."""
        wanted = shape.bounces_inline_original
        if message.ret:
            wanted = "all" if message.ret == Ret.FULL else "headers"
        stays = message.traits & Trait.REQUIRETLS
        if wanted == "all" and (stays or action is not Action.FAILED):
            # Only a failure returns contents (RFC 3461 section 6.2).
            wanted = "headers"
        if wanted == "none":
            return b"", False
        try:
            if wanted == "all" and message.size <= self.size_limit:
                return message.header + b"".join(message.body.pieces()), True
            return header_of(message), False
        except (Error, OSError):
            return b"", False  # A content that cannot be read is reported without it.


def header_of(message: Message) -> bytes:
    """Return the header of a message, ours included, with the empty line which ends it."""
    head = message.header
    for piece in message.body.pieces():
        # The end may lie across two pieces.
        start = max(len(head) - 3, 0)
        head += piece
        end = head.find(b"\r\n\r\n", start)
        if end >= 0 or head.startswith(b"\r\n"):
            return head[: end + 4] if end >= 0 else b"\r\n"
        if len(head) > MAX_HEADER:
            return head[:MAX_HEADER]
    return head


def _traits(content: bytes, to: str) -> int:
    traits = Trait.NONE
    if not content.isascii():
        traits |= Trait.EIGHT_BIT
    # An international report to an ASCII address goes anywhere: its header is ASCII.
    if not to.isascii():
        traits |= Trait.SMTPUTF8
    if b"\r\n." in content:
        traits |= Trait.DOTS
    lines = content.count(b"\r\n")
    if content.count(b"\n") != lines or content.count(b"\r") != lines:
        traits |= Trait.LONE
    return traits
