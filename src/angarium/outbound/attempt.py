"""One attempt: a batch of entries to a transaction, and its results to `settle`.

What the peer cannot take is found out here, before a command is sent: mail it could never take
fails at once, 8-bit content is converted for a peer that wants 7 bit. A large content is converted
while it is sent, piece by piece; to find out its size takes a thread (`takes_long`).
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from angarium.core.body import Body, MemoryBody
from angarium.core.errors import Error
from angarium.core.fault import FAULTS, point
from angarium.core.message import Trait
from angarium.core.reply import Reply
from angarium.journal.errors import DamageError
from angarium.mail.format.seven import Plan, converted, survey
from angarium.outbound.errors import (
    CLOSED,
    NO_8BIT,
    NO_BINARY,
    NO_REQUIRETLS,
    NO_SMTPUTF8,
    TOO_LARGE,
    UNREADABLE,
    DeliveryError,
    Reach,
)
from angarium.outbound.options import Transport
from angarium.queue.entry import Entry, Note
from angarium.wire.framing import ChunkReader
from angarium.wire.smtp_asked import Lost
from angarium.wire.smtp_transaction import Extensions, Phase, Stage, Transaction

ENDING: Final = point("delivery.ending", "a content was sent but for its end, the final dot")
ENDED: Final = point("delivery.ended", "a content was sent with its final dot, and not confirmed")
CONVERTING: Final = point("attempt.converting", "a content is parsed to be sent in 7 bit")

# Plain numbers, see wire/smtp_transaction.
_DEMANDING: Final = int(Trait.SMTPUTF8 | Trait.EIGHT_BIT | Trait.BINARY | Trait.REQUIRETLS)
_LOW_BITS: Final = bytes(octet & 0x7F for octet in range(256))
# Octets from which a content is not converted in one go: 256 KiB take the loop some 5 ms.
_LARGE: Final = 1 << 18


class Results(Protocol):
    """Where results go: `outbound/settle`."""

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
    ) -> None: ...

    def failed(self, entry: Entry, error: DeliveryError, kind: str = "bounced") -> None: ...

    def damaged(self, entry: Entry, error: DamageError) -> None: ...


class Mail(Transaction):
    """A transaction for entries of a line.

    Attributes:
        begun: Unix time, when they were taken.
        tls: what the connection is, as events have it.
    """

    __slots__ = ("begun", "entries", "tls")

    def __init__(self, entries: Sequence[Entry], begun: float = 0.0, tls: str = "") -> None:
        super().__init__(entries[0].message, [each.recipient for each in entries])
        self.entries = entries
        self.begun = begun
        self.tls = tls


def unfit(mail: Mail, peer: Extensions, options: Transport) -> Reply | None:
    """Make the content fit for the peer, or return why it cannot be sent there.

    Raises:
        Error, OSError: it could not be read.
    """
    if mail.traits & _DEMANDING:
        if mail.traits & Trait.SMTPUTF8 and not peer.utf8:
            return NO_SMTPUTF8
        if mail.traits & Trait.REQUIRETLS and not peer.requiretls:
            return NO_REQUIRETLS  # Who asks has looked for another host before.
        refused = _fitted(mail, peer, options)
        if refused is not None:
            return refused
    if peer.size and mail.size > peer.size:
        return TOO_LARGE
    return None


def fits(
    mail: Mail,
    peer: Extensions,
    options: Transport,
    results: Results,
    note: Note,
    remote: str,
    connection: int,
) -> bool:
    """Say whether a transaction may be begun, made fit for the peer; else it has failed."""
    note.enter(mail.entries[0].id)
    try:
        refused = unfit(mail, peer, options)
    except (Error, OSError) as error:
        unread(mail, error, results, remote, connection)
        return False
    finally:
        note.leave()
    if refused is not None:
        refuse(mail, refused, results, remote, connection)
        return False
    return True


def takes_long(mail: Mail, peer: Extensions, options: Transport) -> bool:
    """Say whether `unfit` has more to do than the loop can wait for; then a thread does it."""
    if mail.size <= _LARGE or not mail.traits & (Trait.EIGHT_BIT | Trait.BINARY):
        return False
    if mail.traits & Trait.BINARY:
        return not peer.binary
    return not (peer.eight_bit or peer.utf8 or options.transform_8bitmime_content == "no")


def _fitted(mail: Mail, peer: Extensions, options: Transport) -> Reply | None:
    if mail.traits & Trait.BINARY:
        if peer.binary:
            return None
        # RFC 3030 section 3: convert it, or return it. What may not be changed is returned.
        return None if _convert(mail) else NO_BINARY
    if not mail.traits & Trait.EIGHT_BIT or peer.eight_bit or peer.utf8:
        return None
    match options.transform_8bitmime_content:
        case "no":
            return None
        case "strip":
            _replace(mail, _Changed(mail, None))
            return None
        case "strict":
            return None if _convert(mail) else NO_8BIT
    # What has 8-bit octets in its header has no 7-bit form. It is sent as it is, as most
    # senders do and nearly all hosts take it.
    _convert(mail)
    return None


def _convert(mail: Mail) -> bool:
    FAULTS.hit(CONVERTING)
    plan = survey(_content(mail.header, mail.body))
    if plan is None:
        return False
    changed = _Changed(mail, plan)
    if mail.traits & Trait.BINARY and not changed.is_text:
        return False  # A part of it is binary and ASCII; DATA would not bring it over whole.
    _replace(mail, changed)
    return True


def _content(header: bytes, body: Body) -> Iterator[bytes]:
    yield header
    yield from body.pieces()


class _Changed:
    """A content in 7 bit, made anew from the old one each time it is read.

    Args:
        plan: how; None: the eighth bit is cut off.

    Attributes:
        is_text: it can be sent by DATA.
    """

    __slots__ = ("_body", "_header", "_plan", "is_text", "size", "traits")

    def __init__(self, mail: Mail, plan: Plan | None) -> None:
        self._header, self._body = mail.header, mail.body
        self._plan = plan
        reader, self.size, nul = ChunkReader(), 0, False
        for piece in self.pieces():
            self.size += len(piece)
            nul = nul or b"\0" in piece
            reader.feed(piece)
        reader.finish()
        self.traits = reader.traits
        self.is_text = not (nul or reader.traits & Trait.LONE)

    def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
        content = _content(self._header, self._body)
        if self._plan is None:
            return (piece.translate(_LOW_BITS) for piece in content)
        return converted(content, self._plan)

    def whole(self) -> bytes:
        return b"".join(self.pieces())


def _replace(mail: Mail, changed: _Changed) -> None:
    mail.traits &= ~(Trait.EIGHT_BIT | Trait.BINARY | Trait.DOTS | Trait.NO_FINAL_CRLF)
    mail.traits |= changed.traits & (Trait.DOTS | Trait.NO_FINAL_CRLF)
    body: Body = changed if changed.size > _LARGE else MemoryBody(changed.whole())
    mail.header, mail.body = b"", body


def refuse(mail: Mail, reply: Reply, results: Results, remote: str, connection: int) -> None:
    """Fail all of a transaction which was not begun."""
    for entry in mail.entries:
        error = DeliveryError(reply, Reach.MESSAGE, Stage.IDLE, 0, remote, connection, tls=mail.tls)
        results.failed(entry, error)


def unread(
    mail: Mail, why: Error | OSError, results: Results, remote: str, connection: int
) -> None:
    """Deal with a transaction whose content the disk did not give.

    What is damaged is put aside, as trying again would not mend it and giving it up would lose it.
    """
    for entry, known, stage in zip(mail.entries, mail.replies, mail.stages, strict=True):
        if known is None and isinstance(why, DamageError):
            results.damaged(entry, why)
            continue
        reply, reach = (known, Reach.RECIPIENT) if known else (UNREADABLE, Reach.MESSAGE)
        results.failed(
            entry, DeliveryError(reply, reach, stage, mail.octets, remote, connection, tls=mail.tls)
        )


def settle(mail: Mail, results: Results, remote: str, connection: int, *, reports: bool) -> int:
    """Give a finished transaction's results away; return for how many it was delivered."""
    delivered = 0
    size = mail.size
    for entry, reply, stage in zip(mail.entries, mail.replies, mail.stages, strict=True):
        if reply is None:
            raise ValueError("a finished transaction has a result for everyone")
        if reply.positive:
            delivered += 1
            results.delivered(entry, remote, connection, reply, size, reports=reports, tls=mail.tls)
        else:
            error = DeliveryError(
                reply, Reach.RECIPIENT, stage, mail.octets, remote, connection, tls=mail.tls
            )
            results.failed(entry, error)
    return delivered


def abandon(
    mail: Mail,
    lost: Lost,
    results: Results,
    remote: str,
    connection: int,
    *,
    proved: bool,
) -> list[Entry]:
    """Deal with a transaction which a lost session left; return the entries to put back.

    Who has a result keeps it. Once content was sent the peer may have the message, so that it
    counts as an attempt; before, nobody was harmed. Only where the session had not proved itself
    by a transaction before it counts too: else a host that breaks off each time would be tried
    for ever.
    """
    counts = mail.phase >= Phase.CONTENT or (mail.phase is Phase.ENVELOPE and not proved)
    reply = lost.reply if lost.reply.temporary else CLOSED
    again = []
    for entry, known, stage in zip(mail.entries, mail.replies, mail.stages, strict=True):
        if known is not None:
            error = DeliveryError(
                known, Reach.RECIPIENT, stage, mail.octets, remote, connection, tls=mail.tls
            )
            results.failed(entry, error)
        elif counts:
            error = DeliveryError(
                reply, Reach.HOST, lost.stage, mail.octets, remote, connection, tls=mail.tls
            )
            results.failed(entry, error)
        else:
            again.append(entry)
    return again


def ending() -> None:
    """A content ends with what is sent next. What the loop does then comes after it is out."""
    FAULTS.hit(ENDING)
    asyncio.get_running_loop().call_later(0.0, FAULTS.hit, ENDED)


def patience(options: Transport) -> Mapping[Stage, float]:
    """Return for each stage how long its answer is waited for."""
    return {
        Stage.CONNECT: options.connect_timeout,
        Stage.BANNER: options.banner_timeout,
        Stage.EHLO: options.ehlo_timeout,
        Stage.STARTTLS: options.ehlo_timeout,
        Stage.TLS: options.ehlo_timeout,
        Stage.XCLIENT: options.ehlo_timeout,
        Stage.MAIL: options.mailfrom_timeout,
        Stage.RCPT: options.rcptto_timeout,
        Stage.DATA: options.body_timeout,
        Stage.BODY: options.body_timeout,
        Stage.CONFIRM: options.body_timeout,
        Stage.RSET: options.rset_timeout,
        Stage.IDLE: options.idle_timeout,
    }
