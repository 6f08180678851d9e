"""A receiving SMTP server on 127.0.0.1 which answers as told; for tests of outbound.

    async with Peer({"RCPT": ["550 5.1.1 no"], "banner": ["!close"]}) as peer:

For each verb (and "banner", "." and "EHLO") answers are used up in order, then the default again.
`!close`, `!reset`, `!nothing` (from now on) act instead of answering; `421 bye !close` answers
first.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self, cast

from angarium.lab.sink import stop_listening

DEFAULTS = {
    "banner": "220 peer.test ESMTP",
    "EHLO": "250-peer.test\n250-PIPELINING\n250-8BITMIME\n250-DSN\n250 SIZE 1000000",
    "HELO": "250 peer.test",
    "LHLO": "250-peer.test\n250 PIPELINING",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go on",
    ".": "250 2.0.0 taken",
    "RSET": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye !close",
}


@dataclass
class Taken:
    """A message as it came."""

    mail: str = ""
    rcpts: list[str] = field(default_factory=list)
    body: bytes = b""
    connection: int = 0


class Peer:
    def __init__(self, answers: Mapping[str, Sequence[str]] | None = None) -> None:
        self.answers = {verb: list(rows) for verb, rows in (answers or {}).items()}
        self.defaults = dict(DEFAULTS)
        self.messages: list[Taken] = []
        self.verbs: list[str] = []
        self.connections = 0
        self.open: set[_Conversation] = set()
        self.most_open = 0
        self.port = 0
        self.pausing = False  # stop reading once DATA is answered
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Conversation(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        await stop_listening(self._server)
        for each in list(self.open):
            each.transport.abort()

    def answer(self, verb: str) -> str:
        rows = self.answers.get(verb)
        return rows.pop(0) if rows else self.defaults[verb]

    def notice(self) -> None:
        self._changed.set()


class _Conversation(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._held = b""
        self._body: list[bytes] | None = None
        self._taken = Taken()
        self._deaf = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        peer = self._peer
        peer.connections += 1
        self.number = peer.connections
        peer.open.add(self)
        peer.most_open = max(peer.most_open, len(peer.open))
        self._answer("banner")

    def connection_lost(self, error: Exception | None) -> None:
        self._peer.open.discard(self)
        self._peer.notice()

    def data_received(self, data: bytes) -> None:
        *lines, self._held = (self._held + data).split(b"\r\n")
        for line in lines:
            if self._deaf:
                return
            self._line(line)

    def _line(self, line: bytes) -> None:
        if self._body is None:
            self._command(line)
        elif line == b".":
            self._taken.body = b"".join(self._body)
            self._body = None
            self._answer(".")
        else:
            self._body.append(line.removeprefix(b".") + b"\r\n")

    def _command(self, line: bytes) -> None:
        text = line.decode()
        verb = text.split(" ")[0].split(":")[0].upper()
        self._peer.verbs.append(verb)
        if verb == "MAIL":
            self._taken = Taken(text, connection=self.number)
        if self._answer(verb).startswith("2") and verb == "RCPT":
            self._taken.rcpts.append(text)

    def _answer(self, verb: str) -> str:
        row = self._peer.answer(verb)
        text, _, act = row.partition("!")
        if text:
            self.transport.write(text.strip().replace("\n", "\r\n").encode() + b"\r\n")
        if verb == "DATA" and text.startswith("354"):
            self._body = []
            if self._peer.pausing:
                self._peer.pausing = False
                self.transport.pause_reading()
        if verb == "." and text.startswith("2"):
            self._peer.messages.append(self._taken)
        if act == "close":
            self.transport.close()
            self._deaf = True
        elif act == "reset":
            self.transport.abort()
            self._deaf = True
        elif act in ("nothing", "trickle"):
            self._deaf = True
        self._peer.notice()
        return row
