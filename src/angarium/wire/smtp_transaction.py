"""One message on its way over one connection, and how its commands and content look on the wire.

`Transaction` gathers what becomes of each recipient; `Extensions` is what the peer offered; the
functions turn both to bytes. When which of them may be sent is `wire/smtp_client`'s.
"""

import enum
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from angarium.core.body import Body
from angarium.core.message import Message, Notify, Recipient, Ret, Trait
from angarium.core.reply import Reply

# Plain numbers: `&` on an IntFlag takes a microsecond and a half, and this is the hot path.
_BINARY: Final = int(Trait.BINARY)
_EIGHT_BIT: Final = int(Trait.EIGHT_BIT)
_SMTPUTF8: Final = int(Trait.SMTPUTF8)
_DOTS: Final = int(Trait.DOTS)
_REQUIRETLS: Final = int(Trait.REQUIRETLS)
_NO_FINAL_CRLF: Final = int(Trait.NO_FINAL_CRLF)


class Stage(enum.IntEnum):
    """Where a session is, by the codes which the logs show; their names are in `report/codes`.

    "during" a command is while it is written, "after" while its reply is awaited. A command is
    handed to the kernel at once, so that of each pair only "after" can be seen.
    """

    CONNECT = 0
    IDLE = 1
    MAIL = 3
    RCPT = 5
    DATA = 7
    BODY = 8
    CONFIRM = 9
    EHLO = 11
    BANNER = 12
    RSET = 14
    STARTTLS = 16
    TLS = 17
    XCLIENT = 20


class Phase(enum.IntEnum):
    """How much of a transaction was handed out to be sent."""

    NOTHING = 0
    ENVELOPE = 1
    CONTENT = 2  # Some of it; the peer cannot have taken the message.
    WHOLE = 3  # All of it with its end: only the peer knows whether it has the message.


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the peer offered in its EHLO reply."""

    pipelining: bool = False
    size: int | None = None  # Octets at most; 0 is no limit, None no SIZE (RFC 1870).
    eight_bit: bool = False
    utf8: bool = False
    dsn: bool = False
    chunking: bool = False
    binary: bool = False
    requiretls: bool = False  # RFC 8689; where it is sure who the peer is
    words: frozenset[str] = frozenset()  # Every keyword, upper case.
    mechanisms: tuple[str, ...] = ()  # Of AUTH (RFC 4954), upper case.
    attributes: tuple[str, ...] = ()  # Of XCLIENT, upper case.


class Transaction:
    """A message to some recipients; afterwards a reply and a stage for each of them.

    `header`, `body` and `traits` are those of the message, unless the driver puts a converted
    content in their place. `token` is the driver's own.
    """

    __slots__ = (
        "body",
        "header",
        "message",
        "octets",
        "open",
        "phase",
        "recipients",
        "replies",
        "stages",
        "token",
        "traits",
    )

    def __init__(
        self, message: Message, recipients: Sequence[Recipient], token: object = None
    ) -> None:
        self.message = message
        self.recipients = recipients
        self.token = token
        self.header = message.header
        self.body: Body = message.body
        self.traits = int(message.traits)
        self.replies: list[Reply | None] = [None] * len(recipients)
        self.stages: list[Stage] = [Stage.IDLE] * len(recipients)
        self.open = len(recipients)  # Recipients without a result.
        self.phase = Phase.NOTHING
        self.octets = 0  # Handed out for it: commands, then all of its content.

    @property
    def size(self) -> int:
        return len(self.header) + self.body.size

    def settle(self, index: int, reply: Reply, stage: Stage) -> None:
        """Give one recipient its result; a second one is ignored."""
        if self.replies[index] is None:
            self.replies[index] = reply
            self.stages[index] = stage
            self.open -= 1

    def settle_all(self, reply: Reply, stage: Stage) -> None:
        """Give the result to everyone who has none."""
        for index, known in enumerate(self.replies):
            if known is None:
                self.replies[index] = reply
                self.stages[index] = stage
        self.open = 0

    def reopen(self) -> None:
        """Take all results back."""
        self.replies = [None] * len(self.recipients)
        self.open = len(self.recipients)


def offered(reply: Reply) -> Extensions:
    """Read the positive reply to EHLO; an unknown or odd line is passed over."""
    words: dict[str, str] = {}
    for line in reply.text.split("\n")[1:]:
        keyword, _, rest = line.strip().partition(" ")
        words[keyword.upper()] = rest
    size = words.get("SIZE")
    return Extensions(
        pipelining="PIPELINING" in words,
        # SIZE without a number gives no fixed limit (RFC 1870 section 3).
        size=None if size is None else int(size) if _NUMBER.fullmatch(size) else 0,
        eight_bit="8BITMIME" in words,
        utf8="SMTPUTF8" in words,
        dsn="DSN" in words,
        chunking="CHUNKING" in words,
        binary="BINARYMIME" in words and "CHUNKING" in words,
        requiretls="REQUIRETLS" in words,
        words=frozenset(words),
        mechanisms=_listed(words, "AUTH"),
        attributes=_listed(words, "XCLIENT"),
    )


def _listed(words: Mapping[str, str], keyword: str) -> tuple[str, ...]:
    """Return what follows a keyword."""
    if keyword not in words:
        return ()
    return tuple(each.upper() for each in words[keyword].split())


_NUMBER: Final = re.compile(r"[0-9]{1,20}")
# xtext and what surrounds it: printable, no space (RFC 3461 section 4).
_PARAMETER: Final = re.compile(r"[\x21-\x7e]{1,500}")
_RET: Final[dict[int, str]] = {Ret.FULL: " RET=FULL", Ret.HDRS: " RET=HDRS"}
_NOTIFY: Final = {
    flags: " NOTIFY="
    + ("NEVER" if flags & Notify.NEVER else ",".join(f.name or "" for f in Notify(flags)))
    for flags in range(1, 16)
}


def mail_command(transaction: Transaction, peer: Extensions, *, declare_8bit: bool) -> str:
    """Return MAIL with the parameters which the peer knows, with its CRLF."""
    message = transaction.message
    traits = transaction.traits
    text = f"MAIL FROM:<{message.sender}>"
    if peer.size is not None:
        text = f"{text} SIZE={transaction.size}"
    if traits:
        if traits & _BINARY and peer.binary:
            text += " BODY=BINARYMIME"
        elif traits & _EIGHT_BIT and peer.eight_bit and declare_8bit:
            text += " BODY=8BITMIME"
        if traits & _SMTPUTF8 and peer.utf8:
            text += " SMTPUTF8"
        if traits & _REQUIRETLS and peer.requiretls:
            text += " REQUIRETLS"
    if peer.dsn:
        text += _RET.get(message.ret, "")
        if message.envid and _PARAMETER.fullmatch(message.envid):
            text += f" ENVID={message.envid}"
    return text + "\r\n"


def rcpt_command(recipient: Recipient, peer: Extensions) -> str:
    """Return RCPT with the parameters which the peer knows, with its CRLF."""
    if peer.dsn and (recipient.notify or recipient.orcpt):
        text = f"RCPT TO:<{recipient.address}>{_NOTIFY.get(recipient.notify & 15, '')}"
        if recipient.orcpt and _PARAMETER.fullmatch(recipient.orcpt):
            text += f" ORCPT={recipient.orcpt}"
        return text + "\r\n"
    return f"RCPT TO:<{recipient.address}>\r\n"


def stuffed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Put a dot before each line that begins with one (RFC 5321 section 4.5.2)."""
    before = b"\r\n"  # The two octets before the piece: it may begin or continue a CRLF.
    for piece in pieces:
        joined = before + piece
        before = joined[-2:]
        yield joined.replace(b"\r\n.", b"\r\n..")[2:]


def content(transaction: Transaction, *, bdat: bool) -> Iterator[bytes]:
    """Yield what is sent for the content, with what frames it, as buffers not copied."""
    if bdat:
        yield b"BDAT %d LAST\r\n" % transaction.size
    if transaction.header:
        yield transaction.header
    pieces = transaction.body.pieces()
    if bdat:
        yield from pieces
        return
    yield from stuffed(pieces) if transaction.traits & _DOTS else pieces
    # The end of a content by DATA is a line of its own, whatever the content ends in.
    bare = transaction.traits & _NO_FINAL_CRLF and transaction.body.size
    yield b"\r\n.\r\n" if bare else b".\r\n"
