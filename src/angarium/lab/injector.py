"""One connection of a load: sends messages, one after the other.

    owner.ready(injector)              the session can take a message: injector.send(letter)
    owner.answered(injector, outcome)  the message sent has come to its end; then ready, or lost
    owner.lost(injector)               the connection is gone; `injector.letter` may be in flight

It is a client of its own and shares no line with `wire/smtp_client`, as the sink shares none with
the server: what it measures and proves is the server. With pipelining MAIL, all RCPT and DATA go
out together (RFC 2920); without, each command waits for its answer.
"""

import asyncio
import enum
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

from angarium.lab.letters import Letter

HELLO_NAME: Final = "load.sender.test"
LINE_LIMIT: Final = 65536  # octets of one line of a reply


class Step(enum.Enum):
    """Which answer is waited for."""

    BANNER = "banner"
    EHLO = "ehlo"
    HELO = "helo"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"
    RSET = "rset"
    QUIT = "quit"


@dataclass(slots=True)
class Outcome:
    """How a message ended: where, and what the server said there."""

    letter: Letter
    step: Step = Step.DOT
    reply: str = ""
    refused: list[tuple[str, str]] = field(default_factory=list)  # recipient, what was said

    @property
    def accepted(self) -> bool:
        return self.step is Step.DOT and self.reply.startswith("2")

    @property
    def recipients(self) -> list[str]:
        """The recipients the server has taken on."""
        refused = {recipient for recipient, _ in self.refused}
        return [each for each in self.letter.recipients if each not in refused]


class Owner(Protocol):
    """Who is told; see the head of this module."""

    def ready(self, injector: "Injector") -> None: ...
    def answered(self, injector: "Injector", outcome: Outcome) -> None: ...
    def lost(self, injector: "Injector") -> None: ...


class Injector(asyncio.Protocol):
    __slots__ = (
        "_commands",
        "_input",
        "_outcome",
        "_owner",
        "_pipelining",
        "_recipient",
        "_transport",
        "_waiting",
        "content_sent",
        "extensions",
        "gone",
        "greeted",
        "heard_at",
        "last_reply",
        "letter",
        "scheduled_at",
        "sent",
        "started_at",
    )

    def __init__(self, owner: Owner, *, pipelining: bool = True) -> None:
        self._owner = owner
        self._pipelining = pipelining
        self._input = b""
        self._waiting: deque[Step] = deque([Step.BANNER])
        self._commands: deque[tuple[Step, bytes]] = deque()  # not sent yet, without pipelining
        self._outcome: Outcome | None = None
        self._recipient = 0  # whose answer is next
        self._transport: asyncio.Transport | None = None
        self.extensions: dict[str, str] = {}
        self.greeted = False  # the session was once ready
        self.last_reply = ""
        self.letter: Letter | None = None  # in flight
        self.content_sent = False  # all of it; without an answer its fate is unknown
        self.sent = 0  # messages answered on this connection
        loop = asyncio.get_running_loop()
        self.heard_at = loop.time()
        self.gone: asyncio.Future[None] = loop.create_future()  # done when the connection is
        self.scheduled_at = self.started_at = 0.0  # the owner's

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._owner.lost(self)
        self.gone.set_result(None)

    def send(self, letter: Letter) -> None:
        """Begin to send; only when ready."""
        self.letter = letter
        self.content_sent = False
        self._outcome = Outcome(letter)
        self._recipient = 0
        extra = letter.sender_parameters
        if letter.eight_bit and "8BITMIME" in self.extensions:
            extra += " BODY=8BITMIME"
        if "SMTPUTF8" in self.extensions and not (
            letter.sender.isascii() and all(map(str.isascii, letter.recipients))
        ):
            extra += " SMTPUTF8"
        tail = letter.recipient_parameters
        commands = [(Step.MAIL, f"MAIL FROM:<{letter.sender}>{extra}\r\n".encode())]
        commands += [
            (Step.RCPT, f"RCPT TO:<{each}>{tail}\r\n".encode()) for each in letter.recipients
        ]
        commands.append((Step.DATA, b"DATA\r\n"))
        if self._pipelining and "PIPELINING" in self.extensions:
            self._waiting.extend(step for step, _ in commands)
            self._write(b"".join(line for _, line in commands))
        else:
            self._commands.extend(commands)
            self._next_command()

    def quit(self) -> None:
        """Ask the server to end the session, if it is in one; it then closes."""
        if Step.QUIT in self._waiting:
            return
        if self.greeted and not self._waiting:
            self._say(Step.QUIT, b"QUIT\r\n")
        else:
            self.leave()

    def leave(self) -> None:
        """Close without a word."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        *lines, self._input = (self._input + data).split(b"\r\n")
        if len(self._input) > LINE_LIMIT:
            self.abort()
        for line in lines:
            if line[3:4] != b"-":
                self._answer(line.decode("utf-8", "replace"))
            elif self._waiting and self._waiting[0] is Step.EHLO:
                self._extension(line.decode("utf-8", "replace"))

    def _extension(self, line: str) -> None:
        keyword, _, value = line[4:].partition(" ")
        self.extensions[keyword.upper()] = value

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _say(self, step: Step, line: bytes) -> None:
        self._waiting.append(step)
        self._write(line)

    def _answer(self, reply: str) -> None:
        """Take one whole reply, to what was waited for longest; 421 may come unasked."""
        self.last_reply = reply
        step = self._waiting.popleft() if self._waiting else Step.QUIT
        if reply.startswith("421"):
            self._close(step, reply)
            return
        match step:
            case Step.BANNER if reply.startswith("2"):
                self._say(Step.EHLO, f"EHLO {HELLO_NAME}\r\n".encode())
            case Step.EHLO if reply.startswith("2"):
                self._extension(reply)
                self._ready()
            case Step.EHLO:
                self._say(Step.HELO, f"HELO {HELLO_NAME}\r\n".encode())
            case Step.HELO if reply.startswith("2"):
                self._ready()
            case Step.RSET:
                self._ready()
            case Step.QUIT if self.letter is not None:
                pass  # Nobody asked, and we have work.
            case Step.BANNER | Step.HELO | Step.QUIT:
                self._close(step, reply)
            case _ if self._outcome is not None:
                self._transaction(step, reply, self._outcome)

    def _ready(self) -> None:
        self.greeted = True
        self._owner.ready(self)

    def _close(self, step: Step, reply: str) -> None:
        """The server ends the session; what is in flight ends with what it said."""
        outcome, self._outcome = self._outcome, None
        self._waiting.clear()
        if outcome is not None:
            self.letter = None
            outcome.step, outcome.reply = step, reply
            self._owner.answered(self, outcome)
        self.leave()

    def _transaction(self, step: Step, reply: str, outcome: Outcome) -> None:
        failed = not reply.startswith("3" if step is Step.DATA else "2")
        if step is Step.RCPT:
            recipient = outcome.letter.recipients[self._recipient]
            self._recipient += 1
            if failed:
                outcome.refused.append((recipient, reply))
            failed = len(outcome.refused) == len(outcome.letter.recipients)
        if not outcome.reply and (failed or step is Step.DOT):
            outcome.step, outcome.reply = step, reply
        if step is Step.DATA and reply.startswith("3"):
            # After a refusal the server waits for a content all the same: an empty one.
            self._say(Step.DOT, b".\r\n" if outcome.reply else outcome.letter.content)
            self.content_sent = not outcome.reply
        elif self._commands and not outcome.reply:
            self._next_command()
        elif not self._waiting:
            self._finish(outcome, clean=step is Step.DOT)

    def _next_command(self) -> None:
        step, line = self._commands.popleft()
        self._say(step, line)

    def _finish(self, outcome: Outcome, *, clean: bool) -> None:
        self.letter = self._outcome = None
        self._commands.clear()
        self.sent += 1
        self._owner.answered(self, outcome)
        if clean:
            self._ready()
        else:
            self._say(Step.RSET, b"RSET\r\n")
