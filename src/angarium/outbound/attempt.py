"""One attempt: a batch of entries to a transaction, and its results to `settle`.

What the peer cannot take is found out here, before a command is sent: mail it could never take
fails at once, 8-bit content is converted for a peer that wants 7 bit.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from angarium.core.body import MemoryBody
from angarium.core.errors import Error
from angarium.core.fault import FAULTS, point
from angarium.core.message import Trait
from angarium.core.reply import Reply
from angarium.journal.errors import DamageError
from angarium.mail.format.rewrite import seven_bit
from angarium.outbound.errors import (
    CLOSED,
    NO_8BIT,
    NO_BINARY,
    NO_SMTPUTF8,
    TOO_LARGE,
    UNREADABLE,
    DeliveryError,
    Reach,
)
from angarium.outbound.options import Transport
from angarium.queue.entry import Entry
from angarium.wire.smtp_client import Lost
from angarium.wire.smtp_transaction import Extensions, Phase, Stage, Transaction

CONVERTING: Final = point("attempt.converting", "a content is parsed to be sent in 7 bit")

# Plain numbers, see wire/smtp_transaction.
_DEMANDING: Final = int(Trait.SMTPUTF8 | Trait.EIGHT_BIT | Trait.BINARY)
_LOW_BITS: Final = bytes(octet & 0x7F for octet in range(256))


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
    ) -> None: ...

    def failed(self, entry: Entry, error: DeliveryError, kind: str = "bounced") -> None: ...

    def damaged(self, entry: Entry, error: DamageError) -> None: ...


class Mail(Transaction):
    """A transaction for entries of a line."""

    __slots__ = ("entries",)

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__(entries[0].message, [each.recipient for each in entries])
        self.entries = entries


def unfit(mail: Mail, peer: Extensions, options: Transport) -> Reply | None:
    """Make the content fit for the peer, or return why it cannot be sent there.

    Raises:
        Error, OSError: it could not be read.
    """
    if mail.traits & _DEMANDING:
        if mail.traits & Trait.SMTPUTF8 and not peer.utf8:
            return NO_SMTPUTF8
        refused = _fitted(mail, peer, options)
        if refused is not None:
            return refused
    if peer.size and mail.size > peer.size:
        return TOO_LARGE
    return None


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
            _replace(mail, _content(mail).translate(_LOW_BITS))
            return None
        case "strict":
            return None if _convert(mail) else NO_8BIT
    # What has 8-bit octets in its header has no 7-bit form. It is sent as it is, as most
    # senders do and nearly all hosts take it.
    _convert(mail)
    return None


def _convert(mail: Mail) -> bool:
    FAULTS.hit(CONVERTING)
    converted = seven_bit(_content(mail))
    if converted is None:
        return False
    if mail.traits & Trait.BINARY and not _is_text(converted):
        return False  # A part of it is binary and ASCII; DATA would not bring it over whole.
    _replace(mail, converted)
    return True


def _is_text(content: bytes) -> bool:
    lines = content.count(b"\r\n")
    return b"\0" not in content and content.count(b"\n") == lines and content.count(b"\r") == lines


def _content(mail: Mail) -> bytes:
    return mail.header + b"".join(mail.body.pieces())


def _replace(mail: Mail, content: bytes) -> None:
    mail.header, mail.body = b"", MemoryBody(content)
    mail.traits &= ~(Trait.EIGHT_BIT | Trait.BINARY | Trait.DOTS | Trait.NO_FINAL_CRLF)
    if content.startswith(b".") or b"\r\n." in content:
        mail.traits |= Trait.DOTS
    if not content.endswith(b"\r\n"):
        mail.traits |= Trait.NO_FINAL_CRLF


def refuse(mail: Mail, reply: Reply, results: Results, remote: str, connection: int) -> None:
    """Fail all of a transaction which was not begun."""
    for entry in mail.entries:
        error = DeliveryError(reply, Reach.MESSAGE, Stage.IDLE, 0, remote, connection)
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
        results.failed(entry, DeliveryError(reply, reach, stage, mail.octets, remote, connection))


def settle(mail: Mail, results: Results, remote: str, connection: int, *, reports: bool) -> int:
    """Give a finished transaction's results away; return for how many it was delivered."""
    delivered = 0
    size = mail.size
    for entry, reply, stage in zip(mail.entries, mail.replies, mail.stages, strict=True):
        if reply is None:
            raise ValueError("a finished transaction has a result for everyone")
        if reply.positive:
            delivered += 1
            results.delivered(entry, remote, connection, reply, size, reports=reports)
        else:
            error = DeliveryError(reply, Reach.RECIPIENT, stage, mail.octets, remote, connection)
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
            error = DeliveryError(known, Reach.RECIPIENT, stage, mail.octets, remote, connection)
            results.failed(entry, error)
        elif counts:
            error = DeliveryError(reply, Reach.HOST, lost.stage, mail.octets, remote, connection)
            results.failed(entry, error)
        else:
            again.append(entry)
    return again
