"""The server side of an ESMTP session, without I/O (RFC 5321, 2920, 3030, 4954).

    session.receive(data)               octets from the peer
    event = session.next_event()        what the peer wants, one thing at a time
    session.answer(reply)               the decision, when the event asks for one
    session.challenge(octets)           in its place, while somebody says who he is
    session.data_to_send()              octets for the peer

While an answer is due nothing further is parsed, so pipelined commands wait in the buffer and
policy may take as long as it likes. Everything which decides what a peer may say next stands in
MOVES. What breaks the protocol is answered here; the event `Refused` only tells of it.
"""

import binascii
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from angarium.core.reply import Reply
from angarium.wire.framing import ChunkReader, DotReader
from angarium.wire.smtp_grammar import (
    BAD_BASE64,
    BAD_BDAT,
    LIMITS,
    Bdat,
    Mail,
    Parsed,
    Syntax,
    decode_base64,
)


class State(enum.Enum):
    START = "no greeting yet"
    READY = "between transactions"
    MAIL = "has a sender"
    RCPT = "has a recipient"
    BODY = "receiving the body"
    CHUNK = "receiving a chunk"
    CHUNKS = "between two chunks"
    DROP = "receiving a chunk nobody wants"
    AUTH = "says who it is"
    CLOSED = "over"

    # That of Enum is a call to Python, and MOVES is asked for every command.
    __hash__ = object.__hash__


class Signal(enum.Enum):
    NEED_DATA = "feed more octets"
    ANSWER_DUE = "the last event is not answered yet"


@dataclass(slots=True)
class Body:
    """A piece of the message, in order; asks for no answer."""

    data: bytes


@dataclass(slots=True)
class End:
    """The message is whole; asks for an answer, the one which may promise something."""

    traits: int  # of core.message.Trait, what the octets have


@dataclass(slots=True)
class ChunkEnd:
    """A chunk which is not the last is there; asks for an answer."""

    size: int


@dataclass(slots=True)
class Response:
    """What the peer says to a challenge; asks for another one, or for an answer."""

    data: bytes = field(repr=False)


@dataclass(slots=True)
class Refused:
    """The peer broke the protocol and was told so; what was under way, if a body, is over."""

    reply: Reply


Event = Parsed | Body | End | ChunkEnd | Response | Refused | Signal

# As names of the module: looking up a member in its class costs ten times as much.
NEED_DATA, ANSWER_DUE = Signal
START, READY, MAIL, RCPT, BODY, CHUNK, CHUNKS, DROP, AUTH, CLOSED = State
HELLO: Final = {"EHLO": READY, "HELO": READY}


def _idle(state: State) -> dict[str, State]:
    """Return what is always possible and changes nothing, and the way out."""
    same = ("NOOP", "HELP", "VRFY", "EXPN", "XREMOTEIP", "XSETCONTEXT", "XDUMPCONTEXT")
    return HELLO | dict.fromkeys(same, state) | {"QUIT": CLOSED}


# state -> verb -> the state after a positive answer; no entry: out of sequence.
MOVES: Final[dict[State, dict[str, State]]] = {
    START: _idle(START) | {"RSET": START, "XCLIENT": START, "STARTTLS": START},
    READY: _idle(READY)
    | {"RSET": READY, "MAIL": MAIL, "XCLIENT": START, "AUTH": READY, "STARTTLS": START},
    MAIL: _idle(MAIL) | {"RSET": READY, "RCPT": RCPT},
    RCPT: _idle(RCPT) | {"RSET": READY, "RCPT": RCPT, "DATA": BODY, "BDAT": CHUNK},
    BODY: {"END": READY},
    CHUNK: {"CHUNK": CHUNKS, "END": READY},
    CHUNKS: {"RSET": READY, "NOOP": CHUNKS, "QUIT": CLOSED, "BDAT": CHUNK} | HELLO,
    DROP: {},
    AUTH: {"RESPONSE": READY},
    CLOSED: {},
}
# Where require_ehlo is off a transaction may begin at once, as before RFC 821.
UNGREETED: Final[dict[State, dict[str, State]]] = MOVES | {START: MOVES[START] | {"MAIL": MAIL}}

BAD_SEQUENCE: Final = Reply(503, "bad sequence of commands", "5.5.1")
NO_SENDER: Final = Reply(503, "RCPT TO without MAIL FROM", "5.5.1")
NO_GREETING: Final = Reply(550, "RFC2821 HELO/EHLO needed", "5.5.1")
DATA_UNSENT: Final = Reply(503, "DATA without MAIL FROM", "5.5.1")
# What is said to a verb which has no entry, where the words are better than BAD_SEQUENCE.
OUT_OF_SEQUENCE: Final[Mapping[tuple[State, str], Reply]] = {
    (START, "MAIL"): NO_GREETING,
    (START, "RCPT"): NO_SENDER,
    (START, "DATA"): DATA_UNSENT,
    (READY, "RCPT"): NO_SENDER,
    (READY, "DATA"): DATA_UNSENT,
    (MAIL, "MAIL"): Reply(501, "MAIL FROM already established", "5.5.1"),
    (RCPT, "MAIL"): Reply(501, "MAIL FROM already established", "5.5.1"),
    (MAIL, "DATA"): Reply(503, "DATA without RCPT TO", "5.5.1"),
}
TOO_MANY_COMMANDS: Final = Reply(421, "too many commands", "4.7.0")
LINE_TOO_LONG: Final = Reply(500, "line too long", "5.5.2")
# RFC 5321 section 4.1.1.4: nothing but CRLF . CRLF ends the data; who sends something else near it
# wants us and the next server to disagree on where this message ends.
SMUGGLED: Final = Reply(550, "a line with a dot alone must begin and end with CR LF", "5.5.2")

# RFC 4954 section 4: the client gives up; a line is too long; and once is enough.
CANCELLED: Final = Reply(501, "authentication cancelled", "5.7.0")
AUTH_TOO_LONG: Final = Reply(500, "authentication exchange line is too long", "5.5.6")
KNOWN: Final = Reply(503, "already authenticated", "5.5.1")
BINARY_BY_DATA: Final = Reply(503, "BINARYMIME goes by BDAT only", "5.5.1")  # RFC 3030 section 3


class SmtpServer:
    """One session; it begins with `say(banner)`.

    Args:
        greeting_needed: refuse MAIL before EHLO or HELO.
        limits: octets of a line, by verb (`smtp_grammar.line_limits`).
        max_commands: more get 421; 0 is no limit.
    """

    __slots__ = (
        "_after_drop",
        "_asked",
        "_at",
        "_chunk",
        "_chunks",
        "_commands_left",
        "_data",
        "_dots",
        "_left",
        "_limits",
        "_longest",
        "_moves",
        "_next",
        "_out",
        "_shortest",
        "_skipping",
        "_syntax",
        "authenticated",
        "binary",
        "state",
    )

    def __init__(
        self,
        syntax: Syntax,
        *,
        greeting_needed: bool = False,
        limits: Mapping[bytes, int] = LIMITS,
        max_commands: int = 0,
    ) -> None:
        self.state = START
        self.authenticated = False  # AUTH went well, and is no more
        self.binary = False  # BODY=BINARYMIME: no line ends, so nothing can be smuggled by them
        self._syntax = syntax
        self._limits = limits
        self._shortest = limits[b""]
        self._longest = max(limits.values())
        self._moves = MOVES if greeting_needed else UNGREETED
        self._data = b""  # what is not understood yet begins in it at `_at`
        self._at = 0
        # Counts down to the command which is one too many; 0: never there.
        self._commands_left = max_commands + 1 if max_commands else 0
        self._skipping = False  # a line which is too long
        self._asked = ""  # the verb which waits for an answer
        self._next: End | ChunkEnd | Refused | None = None  # comes before anything else
        self._dots = DotReader()
        self._chunks = ChunkReader()
        self._chunk = Bdat(0, last=False)
        self._left = 0  # octets of the chunk
        self._after_drop = START
        self._out: list[bytes] = []

    def receive(self, data: bytes) -> None:
        self._data = self._data[self._at :] + data if self._data else data
        self._at = 0

    @property
    def pending(self) -> bool:
        """Whether octets have come which are not understood yet."""
        return self._at < len(self._data)

    def begin_anew(self) -> None:
        """Forget all that was said in clear: TLS is on (RFC 3207 section 4.2)."""
        self.state = START
        self.authenticated = self._skipping = False
        self._keep(b"")

    def data_to_send(self) -> bytes:
        out = self._out
        if not out:
            return b""
        self._out = []
        return out[0] if len(out) == 1 else b"".join(out)

    def say(self, reply: Reply) -> None:
        """Say what nobody asked for: the banner; a 421 or another refusal ends the session."""
        self._out.append(reply.encode())
        if not reply.positive:
            self.state = CLOSED

    def next_event(self) -> Event:
        if self._next is not None:
            event, self._next = self._next, None
            return event
        if self._asked:
            return ANSWER_DUE
        if not self._data and not self._left:
            return NEED_DATA
        state = self.state
        if state is BODY:
            return self._next_body()
        if state is CHUNK or state is DROP:
            return self._next_of_chunk()
        if state is CLOSED:
            return NEED_DATA
        return self._next_command()

    def answer(self, reply: Reply) -> None:
        """Answer the last event; only a positive answer moves the session on."""
        code = reply.code
        if code < 400:
            self.accept(reply.encode())
            return
        self._asked = ""
        if code == 421:
            self.state = CLOSED
        elif self.state is BODY or self.state is CHUNK or self.state is AUTH:
            self.state = READY  # A refused message ends its transaction all the same.
        self._out.append(reply.encode())

    def accept(self, encoded: bytes) -> None:
        """Answer positively with the octets of a reply, which need no `Reply` made for them."""
        verb, self._asked = self._asked, ""
        self.state = state = self._moves[self.state][verb]
        if state is BODY:
            self._dots = DotReader()
        self._out.append(encoded)

    def challenge(self, octets: bytes) -> None:
        """Answer AUTH, or a response, with a challenge: the next line is the response to it."""
        self._asked, self.state = "", AUTH
        self._out.append(b"334 " + binascii.b2a_base64(octets, newline=False) + b"\r\n")

    def _refuse(self, reply: Reply) -> Refused:
        self._out.append(reply.encode())
        return Refused(reply)

    def _next_command(self) -> Event:
        data, start = self._data, self._at
        if not data:
            return NEED_DATA
        end = data.find(b"\r\n", start)
        if end < 0:
            if self._skipping or len(data) - start > self._longest:
                # Forget a line which is too long, but for a CR which may be half of its end.
                self._skipping = True
                self._keep(b"\r" if data.endswith(b"\r") else b"")
            return NEED_DATA
        line = data[start:end]
        self._at = end + 2
        if end + 2 == len(data):
            self._data = b""
        if self.state is AUTH:
            return self._response(line)
        if self._skipping or (end - start > self._shortest - 2 and self._too_long(line)):
            self._skipping = False
            return self._refuse(LINE_TOO_LONG)
        return self._understood(line)

    def _response(self, line: bytes) -> Event:
        """Take a line which is no command (RFC 4954 section 4)."""
        refusal: Reply | None = None
        data = decode_base64(line)
        if self._skipping or len(line) > self._limits.get(b"AUTH", self._shortest) - 2:
            refusal, self._skipping = AUTH_TOO_LONG, False
        elif line == b"*":
            refusal = CANCELLED
        elif data is None:
            refusal = BAD_BASE64
        if refusal is not None or data is None:
            self.state = READY
            return self._refuse(refusal or BAD_BASE64)
        self._asked = "RESPONSE"
        return Response(data)

    def _understood(self, line: bytes) -> Event:
        self._commands_left -= 1
        if self._commands_left == 0:
            self.state = CLOSED
            return self._refuse(TOO_MANY_COMMANDS)
        command = self._syntax.parse(line)
        if isinstance(command, Reply):
            if command is BAD_BDAT:
                # What follows cannot be told from commands any more.
                self.state = CLOSED
            return self._refuse(command)
        if isinstance(command, Bdat):
            return self._begin_chunk(command)
        verb = command.verb
        if verb not in self._moves[self.state]:
            return self._refuse(OUT_OF_SEQUENCE.get((self.state, verb), BAD_SEQUENCE))
        if isinstance(command, Mail):
            self.binary = command.body == "BINARYMIME"
        elif verb == "DATA" and self.binary:
            return self._refuse(BINARY_BY_DATA)
        elif verb == "AUTH" and self.authenticated:
            return self._refuse(KNOWN)
        self._asked = verb
        return command

    def _too_long(self, line: bytes) -> bool:
        return len(line) > self._limits.get(line[:4].upper(), self._shortest) - 2

    def _keep(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def _next_body(self) -> Event:
        data = self._data[self._at :] if self._at else self._data
        if not data:
            return NEED_DATA
        body, rest = self._dots.feed(data)
        if rest is None:
            self._keep(b"")
            return Body(body) if body else NEED_DATA
        self._keep(rest)
        return self._ended(body, self._dots.traits, smuggled=self._dots.smuggled)

    def _ended(self, body: bytes, traits: int, *, smuggled: bool) -> Event:
        last: End | Refused
        if smuggled:
            self.state = READY
            last = self._refuse(SMUGGLED)
        else:
            self._asked = "END"
            last = End(traits)
        if not body:
            return last
        self._next = last
        return Body(body)

    def _begin_chunk(self, chunk: Bdat) -> Event:
        state = self.state
        if "BDAT" not in self._moves[state]:
            # RFC 3030 section 2: the octets come all the same, and are not commands.
            self._after_drop, self.state = state, DROP
        else:
            if state is RCPT:
                self._chunks = ChunkReader()
            self.state = CHUNK
        self._chunk, self._left = chunk, chunk.size
        return self._next_of_chunk()

    def _next_of_chunk(self) -> Event:
        data = self._data[self._at : self._at + self._left]
        self._at += len(data)
        if self._at == len(self._data):
            self._keep(b"")
        self._left -= len(data)
        if self.state is DROP:
            if self._left:
                return NEED_DATA
            self.state = self._after_drop
            return self._refuse(BAD_SEQUENCE)
        body = self._chunks.feed(data) if data else b""
        if self._left:
            return Body(body) if body else NEED_DATA
        if self._chunk.last:
            body += self._chunks.finish()
            smuggled = self._chunks.smuggled and not self.binary
            return self._ended(body, self._chunks.traits, smuggled=smuggled)
        self._asked = "CHUNK"
        end = ChunkEnd(self._chunk.size)
        if not body:
            return end
        self._next = end
        return Body(body)
