"""Asks a host whether it would take mail for a recipient: a session up to RCPT, and no message.

The rule which keeps it simple: one command at a time, and one limit of time over all of it. The
first answer which is no yes is the answer to the question.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from angarium.core.reply import Reply
from angarium.wire.smtp_reply import ReplyReader

SILENT: Final = Reply(451, "[internal] the host does not answer", "4.4.1")
SHUT: Final = Reply(451, "[internal] the host ended the connection", "4.4.2")
UNREADABLE: Final = Reply(451, "[internal] the host does not speak SMTP", "4.5.0")
UNSAFE: Final = Reply(451, "[internal] nobody can be asked about such an address", "4.1.3")
OURS: Final = (SILENT, SHUT, UNREADABLE, UNSAFE)  # what no host has said
_READ: Final = 4096


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks about whom.

    Attributes:
        name: what we call ourselves.
        sender: of the mail there might be; "" for the null sender.
        within: seconds for all of it.
    """

    name: str
    sender: str
    recipient: str
    within: float


async def probe(question: Question, host: str, port: int) -> Reply:
    """Return what the host says to the recipient, or to whatever it refused before.

    A host which cannot be reached, or does not say what it should, is a reply of ours; never an
    exception.
    """
    for address in (question.sender, question.recipient):
        if not (address.isascii() and address.isprintable()) or "<" in address or ">" in address:
            return UNSAFE
    try:
        async with asyncio.timeout(question.within):
            reader, writer = await asyncio.open_connection(host, port, limit=_READ)
            try:
                return await _talk(question, reader, writer)
            finally:
                writer.close()
    except OSError:  # TimeoutError is one
        return SILENT


async def _talk(
    question: Question, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Reply:
    replies = _Replies(reader)
    reply = await replies.next()
    if not reply.positive:
        return reply
    commands = [f"EHLO {question.name}", f"MAIL FROM:<{question.sender}>"]
    for command in [*commands, f"RCPT TO:<{question.recipient}>"]:
        writer.write(f"{command}\r\n".encode("ascii"))
        reply = await replies.next()
        if command.startswith("EHLO") and reply.code in (500, 502):
            writer.write(f"HELO {question.name}\r\n".encode("ascii"))
            reply = await replies.next()
        if not reply.positive:
            break
    writer.write(b"QUIT\r\n")
    return reply


class _Replies:
    """What a host says, one reply after the other."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._replies = ReplyReader()
        self._read: deque[Reply] = deque()

    async def next(self) -> Reply:
        while not self._read:
            octets = await self._reader.read(_READ)
            if not octets:
                return SHUT
            self._read.extend(self._replies.feed(octets))
            if self._replies.fault:
                return UNREADABLE
        return self._read.popleft()
