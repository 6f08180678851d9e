"""One session of a sink: a good SMTP server, until its script says otherwise.

It has its own reading of commands and bodies and shares no line with `wire/`: it is the witness
of what our client sends, so that a fault in our framing can't hide behind the same fault here;
and it may break any rule, which `wire/smtp_server` may not.

The rule of progress: `_read` is what takes the next thing from `_input`, and it is called while
it succeeds and nothing is waited for. What a stage means for the session is decided at once; a
delay or a trickle holds back the answer and all that follows it.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Final, Protocol, cast

from angarium.lab.handshake import secured
from angarium.lab.received import Counts, Received, Session
from angarium.lab.script import Answer, Play, Script, Stage
from angarium.lab.speech import Speech

LINE_LIMIT: Final = 65536  # octets of a command; far over any standard's, to be a patient witness
UNREAD_LIMIT: Final = 262144  # octets that may wait while the script delays
END_OF_BODY: Final = b"\r\n.\r\n"

# Reverse-path or forward-path, and parameters; atomic, so that no path costs more than its length.
_PATH: Final = re.compile(rb'<((?:[^<>"\s]++|"(?:[^"\\]++|\\.)*")*)>(?: (.*))?', re.DOTALL)
# Parameters and the extension which permits them; without it they are refused.
_PARAMETERS: Final = {
    b"SIZE": "SIZE",
    b"RET": "DSN",
    b"ENVID": "DSN",
    b"NOTIFY": "DSN",
    b"ORCPT": "DSN",
    b"SMTPUTF8": "SMTPUTF8",
    b"BODY": "8BITMIME",
    b"REQUIRETLS": "REQUIRETLS",
}


class Host(Protocol):
    """What a session needs of its sink."""

    counts: Counts
    play: Play
    usual: "Usual"
    usual_over_tls: "Usual"
    tls: ssl.SSLContext | None
    keeps: bool  # contents are wanted
    lists: bool  # command lines are wanted

    def opened(self, conversation: "Conversation") -> Session: ...
    def closed(self, conversation: "Conversation") -> None: ...
    def heard(self, message: Received) -> None: ...
    def time(self) -> float: ...


class Usual:
    """What a well-behaved server says, made once for a script."""

    def __init__(self, script: Script, *more: str) -> None:
        name = script.name
        extensions = {**script.extensions, **dict.fromkeys(more, "")}
        lines = [name, *(f"{word} {value}".strip() for word, value in extensions.items())]
        rows = [f"250-{line}\r\n" for line in lines[:-1]] + [f"250 {lines[-1]}\r\n"]
        self.banner = Answer(220, f"220 {name} ESMTP sink\r\n".encode())
        self.ehlo = Answer(250, "".join(rows).encode())
        self.helo = Answer(250, f"250 {name}\r\n".encode())
        self.sender = Answer(250, b"250 2.1.0 sender ok\r\n")
        self.recipient = Answer(250, b"250 2.1.5 recipient ok\r\n")
        self.go_ahead = Answer(354, b"354 go ahead\r\n")
        self.chunk = Answer(250, b"250 2.0.0 chunk ok\r\n")
        self.accepted = Answer(250, b"250 2.0.0 accepted\r\n")
        self.ok = Answer(250, b"250 2.0.0 ok\r\n")
        self.bye = Answer(221, b"221 2.0.0 bye\r\n")
        self.too_big = Answer(552, b"552 5.3.4 message too big\r\n")
        self.bad_sequence = Answer(503, b"503 5.5.1 bad sequence of commands\r\n")
        self.no_recipients = Answer(554, b"554 5.5.1 no valid recipients\r\n")
        self.bad_syntax = Answer(501, b"501 5.5.4 syntax error\r\n")
        self.bad_parameter = Answer(555, b"555 5.5.4 parameter not recognized\r\n")
        self.unknown = Answer(500, b"500 5.5.1 command not recognized\r\n")
        self.shake = Answer(220, b"220 2.0.0 go ahead\r\n")
        self.extensions = extensions
        self.pipelining = "PIPELINING" in extensions
        self.size_limit = script.size_limit
        self.thresholds = tuple(script.thresholds)
        self.ruled = frozenset(script.rules)


class Conversation(asyncio.Protocol):
    __slots__ = (
        "_answered_early",
        "_at",
        "_body",
        "_eof",
        "_helo",
        "_host",
        "_input",
        "_message",
        "_paused",
        "_read",
        "_refused",
        "_remaining",
        "_sender_known",
        "_session",
        "_shaking",
        "_speech",
        "_tally",
        "_thresholds",
        "_transport",
        "_usual",
        "peer",
        "recipients",
        "sender",
        "turns",
    )

    def __init__(self, host: Host) -> None:
        self._host = host
        self._usual = host.usual
        self._tally = host.counts.replies
        self._input = b""
        self._at = 0  # what is before is done with
        self._paused = self._eof = False
        self._shaking: asyncio.Task[None] | None = None
        self._helo = self.peer = ""
        self._read: Callable[[Conversation], bool] = Conversation._read_line
        self._session = Session(0, "")
        self.turns: dict[int, int] = {}
        # What the rules look at.
        self.sender = ""
        self.recipients: list[str] = []
        # The transaction.
        self._message = Received(0, "", "")
        self._sender_known = False
        self._body: list[bytes] = []
        self._remaining = 0  # octets of the chunk still to come
        self._refused = False  # the chunk is read, not taken
        self._answered_early = 0  # code of a reply in mid-body
        self._thresholds = self._usual.thresholds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.peer = transport.get_extra_info("peername")[0]
        self._speech = Speech(self._transport, self._host.play, self._host.counts)
        self._session = self._host.opened(self)
        self._forget()
        if Stage.CONNECT in self._usual.ruled:
            deed = self._host.play.at(Stage.CONNECT, self)
            if deed is not None and not self._speech.perform(deed, None, self._greet):
                return
        self._greet()

    def connection_lost(self, exc: Exception | None) -> None:
        self._speech.lost()
        self._host.closed(self)

    def data_received(self, data: bytes) -> None:
        if self._speech.end is not None:
            return
        self._input = self._input[self._at :] + data if self._at < len(self._input) else data
        self._at = 0
        if not self._speech.busy:
            self._go_on()
        elif len(self._input) > UNREAD_LIMIT:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Keep a half-closed connection until what is waited for has been said."""
        self._eof = True
        return self._speech.busy

    def abort(self) -> None:
        self._transport.abort()

    def _greet(self) -> None:
        self._answer(Stage.BANNER, self._usual.banner)
        self._go_on()

    def _go_on(self) -> None:
        speech = self._speech
        while not speech.busy and speech.end is None and self._read(self):
            pass
        speech.flush()
        if self._eof and not speech.busy:
            self._transport.close()
        elif self._paused and not speech.busy and speech.end is None:
            self._paused = False
            self._transport.resume_reading()

    def _answer(self, stage: Stage, usual: Answer) -> int:
        """Answer as the script or `usual` has it; return the code, 0 for no answer.

        The script is not asked about what is out of sequence or no command: its rules count
        steps of a session, and after a refused MAIL a pipelined RCPT is none.
        """
        code = usual.code
        deed = None
        if stage in self._usual.ruled and (usual.positive or stage is Stage.OTHER):
            deed = self._host.play.at(stage, self)
        if deed is None:
            self._speech.say(usual.octets)
        else:
            code = (deed.answer or usual).code if deed.answers else 0
            self._speech.perform(deed, usual, self._go_on)
        tally = self._tally[stage]
        tally[code] = tally.get(code, 0) + 1
        return code

    # Commands

    def _read_line(self) -> bool:
        end = self._input.find(b"\r\n", self._at)
        if end < 0:
            if len(self._input) - self._at > LINE_LIMIT:
                self._speech.say(b"500 5.5.2 line too long\r\n")
                self._speech.close()
            return False
        line, self._at = self._input[self._at : end], end + 2
        if self._host.lists:
            self._session.commands.append(line.decode("utf-8", "surrogateescape"))
        verb, _, argument = line.partition(b" ")
        verb = verb.upper()
        more = self._at < len(self._input)
        if more and (verb == b"DATA" or (verb != b"BDAT" and not self._usual.pipelining)):
            self._host.counts.early += 1
        COMMANDS.get(verb, Conversation._other)(self, argument)
        return True

    def _ehlo(self, argument: bytes) -> None:
        self._hello(Stage.EHLO, self._usual.ehlo, argument)

    def _old_hello(self, argument: bytes) -> None:
        self._hello(Stage.HELO, self._usual.helo, argument)

    def _hello(self, stage: Stage, usual: Answer, argument: bytes) -> None:
        code = self._answer(stage, usual if argument else self._usual.bad_syntax)
        if 200 <= code < 300:
            self._helo = argument.decode("utf-8", "surrogateescape")
        self._forget()

    def _mail(self, argument: bytes) -> None:
        path, parameters, usual = self._path(b"FROM:", argument, self._usual.sender)
        if not self._helo or self._sender_known:
            usual = self._usual.bad_sequence
        kept, self.sender = self.sender, path
        if 200 <= self._answer(Stage.MAIL, usual) < 300:
            self._sender_known = True
            self._message.sender, self._message.sender_parameters = path, parameters
        else:
            self.sender = kept

    def _rcpt(self, argument: bytes) -> None:
        path, parameters, usual = self._path(b"TO:", argument, self._usual.recipient)
        message = self._message
        if not self._sender_known or message.command:
            usual = self._usual.bad_sequence
        self.recipients = [path]
        if 200 <= self._answer(Stage.RCPT, usual) < 300:
            message.recipients.append(path)
            message.recipient_parameters.append(parameters)
        self.recipients = message.recipients

    def _path(self, prefix: bytes, argument: bytes, usual: Answer) -> tuple[str, str, Answer]:
        """Return address, parameters, and what is to be said of them."""
        found = _PATH.fullmatch(argument, len(prefix))
        if found is None or argument[: len(prefix)].upper() != prefix:
            return "", "", self._usual.bad_syntax
        address = found[1].decode("utf-8", "surrogateescape")
        if found[2] is None:
            return address, "", usual
        for each in found[2].upper().split():
            name, _, value = each.partition(b"=")
            needed = "BINARYMIME" if value == b"BINARYMIME" else _PARAMETERS.get(name, "")
            if needed not in self._usual.extensions:
                usual = self._usual.bad_parameter
            elif name == b"SIZE" and value.isdigit() and 0 < self._usual.size_limit < int(value):
                usual = self._usual.too_big
        return address, found[2].decode("utf-8", "surrogateescape"), usual

    def _data(self, argument: bytes) -> None:
        usual, message = self._usual.go_ahead, self._message
        if not self._sender_known or message.command or "BINARYMIME" in message.sender_parameters:
            usual = self._usual.bad_sequence
        elif not message.recipients:
            usual = self._usual.no_recipients
        if self._answer(Stage.DATA, usual) == 354:
            message.command = "DATA"
            self._input = (
                b"\r\n" + self._input[self._at :]
            )  # So that a dot in the first line is found.
            self._at = 0
            message.octets = -2
            self._read = Conversation._read_body
            self._ask_body()

    def _bdat(self, argument: bytes) -> None:
        words = argument.upper().split()
        if "CHUNKING" not in self._usual.extensions:
            self._answer(Stage.BDAT, self._usual.unknown)
        elif not words or not words[0].isdigit() or words[1:] not in ([], [b"LAST"]):
            self._answer(Stage.BDAT, self._usual.bad_syntax)
        else:
            self._remaining = int(words[0])
            self._refused = not self._message.recipients or self._message.command == "DATA"
            self._read = Conversation._read_last_chunk if words[1:] else Conversation._read_chunk
            if not self._message.command and not self._refused:
                self._message.command = "BDAT"
                self._ask_body()

    def _rset(self, argument: bytes) -> None:
        self._forget()
        self._answer(Stage.RSET, self._usual.ok)

    def _noop(self, argument: bytes) -> None:
        self._answer(Stage.NOOP, self._usual.ok)

    def _quit(self, argument: bytes) -> None:
        said = self._answer(Stage.QUIT, self._usual.bye)
        if said == 221 and self._speech.end is None and not self._speech.busy:
            self._speech.close()

    def _other(self, argument: bytes) -> None:
        self._answer(Stage.OTHER, self._usual.unknown)

    def _starttls(self, argument: bytes) -> None:
        known = self._host.tls is not None and self._session.secured is None
        if not known or self._answer(Stage.STARTTLS, self._usual.shake) != 220:
            if not known:
                self._other(argument)
            return
        if self._speech.end is None:
            self._input, self._at = b"", 0
            self._speech.flush()
            self._speech.busy = True
            self._shaking = asyncio.ensure_future(self._shake())

    async def _shake(self) -> None:
        assert self._host.tls is not None
        done = await secured(self._transport, self, self._host.tls)
        counts = self._host.counts.handshakes
        kind = "failed" if done is None else done[1].version
        counts[kind] = counts.get(kind, 0) + 1
        if done is None:
            self.abort()
            return
        self._transport, self._session.secured = done
        self._speech = Speech(self._transport, self._host.play, self._host.counts)
        self._usual, self._helo = self._host.usual_over_tls, ""
        self._forget()
        self._go_on()

    # Bodies

    def _read_body(self) -> bool:
        raw = self._input  # `_at` is 0 until the end.
        end = raw.find(END_OF_BODY)
        if end >= 0:
            self._at = end + 5
            self._take(raw[: end + 2])
            self._read = Conversation._finish
            return True
        if len(raw) > 4:
            self._input = raw[-4:]  # May be the beginning of the end.
            self._take(raw[:-4])
        return False

    def _read_chunk(self) -> bool:
        if not self._take_chunk():
            return False
        self._read = Conversation._read_line
        usual = self._usual.bad_sequence if self._refused else self._usual.chunk
        if not 200 <= self._answer(Stage.BDAT, usual) < 300:
            self._forget()
        return True

    def _read_last_chunk(self) -> bool:
        if not self._take_chunk():
            return False
        self._read = Conversation._finish
        if self._refused:
            self._read = Conversation._read_line
            self._answer(Stage.BDAT, self._usual.bad_sequence)
        return True

    def _take_chunk(self) -> bool:
        """Take what there is of the chunk; say whether that was all."""
        piece = self._input[self._at : self._at + self._remaining]
        self._at += len(piece)
        self._remaining -= len(piece)
        if not self._refused:
            self._take(piece)
        return not self._remaining

    def _take(self, piece: bytes) -> None:
        message, limit = self._message, self._usual.size_limit
        message.octets += len(piece)
        if self._host.keeps and (not limit or message.octets <= limit):
            self._body.append(piece)
        if self._thresholds:
            self._ask_body()

    def _ask_body(self) -> None:
        """Ask the rules of the body whose threshold has been passed, each once."""
        speech = self._speech
        while self._thresholds and self._message.octets >= self._thresholds[0]:
            past, self._thresholds = self._thresholds[0], self._thresholds[1:]
            deed = self._host.play.at(Stage.BODY, self, past)
            if deed is None:
                continue
            if deed.answer is not None:
                self._answered_early = deed.answer.code
                tally = self._tally[Stage.BODY]
                tally[deed.answer.code] = tally.get(deed.answer.code, 0) + 1
            speech.perform(deed, None, self._go_on)
            if speech.busy or speech.end is not None:
                break

    def _finish(self) -> bool:
        """The message is there: answer, keep, forget."""
        message, host, limit = self._message, self._host, self._usual.size_limit
        too_big = 0 < limit < message.octets
        usual = self._usual.too_big if too_big else self._usual.accepted
        message.reply = self._answered_early or self._answer(Stage.DOT, usual)
        message.at = host.time()
        if host.keeps and not too_big:
            message.content = self._content()
            message.octets = len(message.content)
        host.heard(message)
        self._forget()
        self._read = Conversation._read_line
        return True

    def _content(self) -> bytes:
        raw = b"".join(self._body)
        if self._message.command == "BDAT":
            return raw
        return raw.replace(b"\r\n.", b"\r\n")[2:]

    def _forget(self) -> None:
        """Begin a new transaction."""
        self._message = Received(self._session.number, self.peer, self._helo)
        if self._session.secured is not None:
            self._message.tls = self._session.secured.version
        self.sender, self.recipients = "", self._message.recipients
        self._sender_known = self._refused = False
        self._body = []
        self._answered_early = 0
        self._thresholds = self._usual.thresholds


COMMANDS: Final[Mapping[bytes, Callable[[Conversation, bytes], None]]] = {
    b"EHLO": Conversation._ehlo,
    b"HELO": Conversation._old_hello,
    b"MAIL": Conversation._mail,
    b"RCPT": Conversation._rcpt,
    b"DATA": Conversation._data,
    b"BDAT": Conversation._bdat,
    b"RSET": Conversation._rset,
    b"NOOP": Conversation._noop,
    b"QUIT": Conversation._quit,
    b"STARTTLS": Conversation._starttls,
}
