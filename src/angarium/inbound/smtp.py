"""A session of SMTP reception: what the peer wants, what we answer, and where its mail goes.

    events of wire/smtp_server -> envelope, content -> queue/admit -> 250, when the disk has it

The rule which keeps it simple: an event is answered at once, or the session waits for one thing
(a seat, a permit, room in the writer, the disk), and that thing's call-back answers and pumps.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from angarium.core.ident import printed
from angarium.core.message import Message
from angarium.core.reply import Reply
from angarium.events.schema import Rejection
from angarium.inbound import extensions, replies
from angarium.inbound.content import Content
from angarium.inbound.envelope import Envelope
from angarium.inbound.limits import LONGEST_WAIT_SECONDS, Seat
from angarium.inbound.origin import Origin, endpoint
from angarium.inbound.profile import Profile
from angarium.inbound.services import Services
from angarium.journal.errors import SpoolError
from angarium.mail.format import trace
from angarium.net.stream import Expiry, Stream, Turn
from angarium.net.sweep import NEVER
from angarium.queue.throttle import BUSY_SECONDS, Grant
from angarium.wire.smtp_grammar import TRUSTED, Command, Hello, Mail, Rcpt, Syntax
from angarium.wire.smtp_server import (
    ANSWER_DUE,
    CLOSED,
    DATA_UNSENT,
    NEED_DATA,
    NO_SENDER,
    READY,
    Body,
    ChunkEnd,
    End,
    Refused,
    SmtpServer,
    State,
)

HUNGRY, DUE = Turn.HUNGRY, Turn.DUE
# Events which are worked off in one turn of the loop: some 1 ms. A peer which pipelines thousands
# of commands waits in between as everybody does.
_TURN: Final = 200

# Names of SMTP reception states (log_formats.rejectlog) are numbers in the event.
_BANNER, _EHLO, _MAIL, _RCPT, _DATA, _BODY, _RELAY, _CONCURRENCY = 1, 2, 4, 6, 8, 9, 13, 18
PHASES: Final = {
    State.START: _EHLO,
    State.READY: _MAIL,
    State.MAIL: _RCPT,
    State.RCPT: _RCPT,
    State.BODY: _BODY,
    State.CHUNK: _BODY,
    State.CHUNKS: _BODY,
    State.DROP: _DATA,
    State.AUTH: _MAIL,
    State.CLOSED: _MAIL,
}
_UNOPENED: Final = SmtpServer(Syntax())


class SmtpSession(Stream):
    """One connection; made by the factory of a `net/listener`."""

    take: ClassVar[Mapping[type, Callable[[Any, Any], None]]]

    __slots__ = (
        "_content", "_draining", "_envelope", "_errors", "_held", "_idle_commands", "_listen",
        "_messages", "_profile", "_rated", "_recipients", "_seat", "_services", "_since",
        "_submitted", "_timer", "_unwanted", "_waited", "_wire", "origin",
    )  # fmt: skip

    def __init__(self, services: Services, listen: str) -> None:
        super().__init__(_UNOPENED, services.sweep)
        self._services = services
        self._listen = listen
        self._wire = _UNOPENED
        self._profile: Profile  # of this client, when it is known
        self._held = True  # waits for a seat, or for room in the writer of a large body
        self._draining = False
        self._idle_commands = self._errors = 0
        self._messages = self._recipients = 0  # accepted
        self._envelope: Envelope | None = None
        self._content: Content | None = None
        self._submitted: Message | None = None
        self._rated = False
        self._unwanted = False  # the last MAIL was refused
        self._waited = 0.0  # seconds for a permit
        self._since = 0.0  # Unix time, when MAIL was answered
        self._timer: asyncio.TimerHandle | None = None

    # The connection.

    def opened(self) -> None:
        services = self._services
        assert self.transport is not None
        peer = self.transport.get_extra_info("peername")
        local = self.transport.get_extra_info("sockname")
        self._profile = profile = services.profiles.at(self._listen, endpoint(peer)[0])
        self.session = self._wire = SmtpServer(
            profile.syntax,
            greeting_needed=profile.options.require_ehlo,
            limits=profile.line_limits,
            max_commands=profile.options.max_commands_per_connection,
        )
        self.bounds = profile.bounds
        self.idle = profile.bounds.idle
        ident = services.idents.next(services.clock.time())
        self.origin = Origin(profile, peer, local, ident, services.program)
        if services.tracing is not None and services.tracing.tracers:
            self.session = services.tracing.inward(self._wire, self.origin.address, ident)
        services.sessions.add(self)
        services.counts.came(self.origin.address)
        self._seat = Seat(services.ledger, profile, self._listen, self.origin.address)
        self._be_seated()

    def _be_seated(self) -> None:
        grant = self._seat.take()
        if grant is Grant.BUSY:
            self._later(BUSY_SECONDS, self._be_seated)
            return
        self._held = False
        if grant is Grant.DENIED:
            self._leave(replies.BUSY, _CONCURRENCY)
        elif self._services.admit.refusal() is not None or not self._services.may_greet():
            # Before the peer has said a word: the cheapest place to be overloaded.
            self._leave(replies.EXHAUSTED, _BANNER)
        else:
            self._admitted()
        self.pump()

    def _admitted(self) -> None:
        """It may stay."""
        self._welcome()

    def _welcome(self) -> None:
        self._wire.say(self._banner())

    def _banner(self) -> Reply:
        profile, services = self._profile, self._services
        if profile.static_banner is not None:
            return profile.static_banner
        now = trace.date(int(services.clock.time()))
        return Reply(220, f"{profile.greeting} ESMTP {services.program} {now}")

    def lost(self, error: Exception | None) -> None:
        self._end_transaction()
        self._seat.leave()
        self._services.sessions.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    def expired(self, which: Expiry) -> None:
        if which is Expiry.STUCK:
            self.abort()
            return
        replies_to = {Expiry.IDLE: replies.IDLE, Expiry.DEADLINE: replies.TOO_LATE}
        self._leave(replies_to.get(which, replies.TOO_SLOW), PHASES[self._wire.state])

    @property
    def tls_context(self) -> ssl.SSLContext | None:
        """Return what it is made secure by; None: it is in clear."""
        return self._profile.tls.context if self.origin.tls else None

    @property
    def phase(self) -> str:
        """Return what it is at, for people."""
        return "waits for the disk" if self._submitted is not None else self._wire.state.value

    def drain(self) -> None:
        """End at the next occasion: at once between two messages, else at the next MAIL or RSET."""
        self._draining = True
        if self._envelope is None and self._submitted is None and not self._held:
            self._leave(replies.UNAVAILABLE, PHASES[self._wire.state])

    def end(self) -> None:
        """End now, whatever is under way: we have waited long enough."""
        if not self.closing:
            self._leave(replies.UNAVAILABLE, PHASES[self._wire.state])

    def shed(self) -> None:
        """Memory is all but gone: end, if a content is on its way in."""
        if self._content is not None and not self.closing:
            self._leave(replies.EXHAUSTED, _BODY)

    def _leave(self, reply: Reply, phase: int) -> None:
        """Say the last word and hang up."""
        self._reject(reply, phase)
        self._end_transaction()
        self._wire.say(reply)
        self.hang_up()

    def _reject(self, reply: Reply, phase: int, rcpt: Rcpt | None = None) -> None:
        now = self._services.clock.time()
        self._services.counts.refused(phase, self.origin.address)
        self._services.reject(self._rejection(now, reply, phase, rcpt))

    def _rejection(self, now: float, reply: Reply, phase: int, rcpt: Rcpt | None) -> Rejection:
        return self.origin.rejection(now, reply, phase, self._envelope, rcpt)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self._timer = self._services.loop.call_later(seconds, call)

    # Events.

    def advance(self) -> Turn:
        next_event, take = self._wire.next_event, self.take
        for _ in range(_TURN):
            if self._held:
                return DUE
            event = next_event()
            if event is NEED_DATA:
                if self._content is not None or self._wire.state is CLOSED:
                    self._starved(self._content)
                return HUNGRY
            if event is ANSWER_DUE:
                return DUE
            take[type(event)](self, event)
        self._services.loop.call_soon(self.pump)
        return DUE

    def _starved(self, content: Content | None) -> None:
        if self._wire.state is CLOSED:
            self.hang_up()
        elif content is not None and content.size and not self._rated:
            # The content did not come in one piece, so from now on its pace counts.
            self._rated = True
            self.demand_rate(self._profile.options.min_byte_rate)

    def _body(self, body: Body) -> None:
        self._held = not self._message().add(body.data)

    def _broken(self, event: Refused) -> None:
        """The peer broke the protocol, and was answered by the wire."""
        if self._unwanted and (event.reply is NO_SENDER or event.reply is DATA_UNSENT):
            # Sent with a MAIL that was refused (RFC 2920): the peer could not know.
            self._reject(event.reply, PHASES[self._wire.state])
            return
        self._refused(event.reply, PHASES[self._wire.state])
        if self._wire.state is READY:
            self._end_transaction()

    def _answer(self, reply: Reply, phase: int) -> None:
        self._wire.answer(reply)
        if reply.code >= 400:
            self._refused(reply, phase)

    def _refused(self, reply: Reply, phase: int, rcpt: Rcpt | None = None) -> None:
        """Record what was answered; who is refused too often has to go."""
        self._reject(reply, phase, rcpt)
        # A 4xx is no fault of the peer: it may try the rest of 1,000 recipients on us.
        self._errors += reply.permanent
        limit = self._profile.options.max_errors_per_connection
        if 0 < limit < self._errors and not self.closing:
            self._leave(replies.TOO_MANY_ERRORS, phase)

    def _command(self, command: Command) -> None:
        verb = command.verb
        if verb == "DATA":
            self._data()
        elif verb == "QUIT":
            self._end_transaction()
            self._wire.answer(Reply(221, f"{self._profile.greeting} closing connection", "2.0.0"))
            self.close()
        elif verb == "RSET":
            self._end_transaction()
            self._idle_verb(self._outdated() or replies.OK)
        elif verb == "VRFY":
            self._idle_verb(replies.VRFY)
        elif verb == "EXPN":
            self._idle_verb(replies.EXPN)
        elif verb == "HELP":
            self._idle_verb(replies.HELP)
        elif verb in TRUSTED:
            self._trusted(command)
        else:
            self._idle_verb(replies.OK)

    def _trusted(self, command: Command) -> None:
        reply = self._outdated()
        if reply is None:
            profiles = self._services.profiles
            reply = extensions.obey(command, self.origin, profiles, self._listen)
            self._profile = self.origin.profile
        self._idle_verb(self._banner() if reply is extensions.AGAIN else reply)

    def _idle_verb(self, reply: Reply) -> None:
        """Answer a command which brings no mail."""
        self._idle_commands += 1
        limit = self._profile.options.max_idle_commands
        if 0 < limit < self._idle_commands:
            reply = replies.TOO_MANY_IDLE
        self._answer(reply, PHASES[self._wire.state])

    def _greeted(self, hello: Hello) -> None:
        self._end_transaction()
        self.origin.greeted(hello)
        profile = self._profile
        text = f"{profile.greeting} says {hello.verb} to {self.origin.address}"
        if hello.verb == "EHLO":
            text += f"\n{self._offered()}"
        self._idle_verb(Reply(250, text))

    def _offered(self) -> str:
        return self._profile.extensions

    # The envelope.

    def _outdated(self) -> Reply | None:
        """Return the 421 which ends a session of an old configuration, or of a stopping server."""
        if self._draining:
            return replies.UNAVAILABLE
        profiles = self._services.profiles
        if self._profile.generation != profiles.generation:
            renewed = profiles.renewed(self._profile, self._listen, self.origin.address)
            if renewed is None:
                return self._profile.reconfigured
            self._profile = self.origin.profile = renewed
        return None

    def _mail(self, mail: Mail) -> None:
        services, options = self._services, self._profile.options
        refusal = self._outdated()
        if refusal is None and 0 < options.max_receptions_per_connection <= self._messages:
            refusal = replies.NO_MORE_MESSAGES
        if refusal is None and (error := services.admit.refusal()) is not None:
            refusal = replies.of(error)
        self._envelope = envelope = Envelope(
            self._profile,
            mail,
            trusted=self._trusts(),
            on_connection=self._recipients,
            blackholed=services.blackholed,
        )
        reply = refusal or envelope.begin()
        self._unwanted = not reply.positive
        if self._unwanted:
            self._answer(reply, _MAIL)
            self._envelope = None
        elif options.inbound_throttle_messages is None:
            self._begun()
        else:
            self._waited = 0.0
            self._permitted()

    def _trusts(self) -> bool:
        """Say whether the client may send to any domain."""
        return self.origin.trusted

    def _permitted(self) -> None:
        """Wait for a permit of inbound_throttle_messages; MAIL is answered when we have it."""
        throttle = self._profile.options.inbound_throttle_messages
        if self._envelope is None or throttle is None:
            return
        seconds = self._services.ledger.take(f"inbound {throttle.key}", throttle.rate)
        if seconds <= 0.0:
            self._begun()
        elif self._waited + seconds > LONGEST_WAIT_SECONDS:
            self._envelope = None
            self._answer(replies.SHORT_OF_RESOURCES, _MAIL)
        else:
            self._waited += seconds
            self._later(seconds, self._permitted)
            return
        self.pump()

    def _begun(self) -> None:
        seconds = self._profile.options.reception_deadline
        if seconds > 0.0:
            self.set_deadline(self._services.clock.monotonic() + seconds)
        self._since = self._services.clock.time()
        self._wire.answer(replies.MAIL_OK)

    def _rcpt(self, rcpt: Rcpt) -> None:
        assert self._envelope is not None
        reply = self._envelope.add(rcpt)
        self._wire.answer(reply)
        if reply is not replies.RCPT_OK:
            phase = _RELAY if reply is replies.RELAYING_DENIED else _RCPT
            self._refused(reply, phase, rcpt)

    # The message.

    def _data(self) -> None:
        self._message()
        self._wire.answer(replies.GO_ON)

    def _message(self) -> Content:
        """Return the content of this message, begun if it is not."""
        if self._content is None:
            profile = self._profile
            limit = profile.options.max_message_size
            rules = profile.binary_rules if self._wire.binary else profile.rules
            self._content = Content(rules, limit, profile.large, self._services.large, self._room)
        return self._content

    def _room(self) -> None:
        if self._held:
            self._held = False
            self.pump()

    def _chunk(self, chunk: ChunkEnd) -> None:
        fault = self._message().fault
        if fault is None:
            self._wire.answer(Reply(250, f"{chunk.size} octets received", "2.0.0"))
        else:
            self._answer(fault, _BODY)
            self._end_transaction()

    def _end(self, end: End) -> None:
        """The message is whole: check it, and give it to who makes it safe."""
        content, envelope = self._message(), self._envelope
        assert envelope is not None
        services = self._services
        if services.admit.submitted >= self._profile.intake.max_pending_receptions:
            fault: Reply | None = replies.SHORT_OF_RESOURCES
        else:
            fault = content.finish(end.traits)
        if fault is not None:
            self._answer(fault, _BODY)
            self._end_transaction()
            return
        self._content = None  # What is on disk belongs to the message now.
        now = services.clock.time()
        message = self.origin.message(envelope, content, now, self._next_id(now))
        if self._profile.marks is not None:
            self._profile.marks.put_on(message, content.fields, self.origin.address)
        self._received(message, envelope)

    def _next_id(self, now: float) -> int:
        return self._services.next_id(now)

    def _received(self, message: Message, envelope: Envelope) -> None:
        self._submitted = message
        self._end_transaction()
        self._services.admit.submit(message, envelope.recipients, self._durable)

    def _durable(self, error: SpoolError | None) -> None:
        """The spool's word on the message: only now it is ours."""
        message, self._submitted = self._submitted, None
        assert message is not None
        if error is None:
            self._messages += 1
            self._idle_commands = 0
            self._services.counts.took(self._since, message, self.origin.address)
            # If it is closed the peer has heard 421 meanwhile, and may try again.
            if self._wire.state is not CLOSED:
                self._wire.accept(b"250 2.0.0 OK %b\r\n" % printed(message.batch).encode())
        else:
            self._answer(replies.of(error), _BODY)
        self.pump()

    def _end_transaction(self) -> None:
        """Forget envelope and content, if there are any."""
        if self._envelope is None:
            return
        self._recipients += len(self._envelope.recipients)
        self._envelope = None
        self.deadline = NEVER
        if self._rated:
            self._rated = False
            self.demand_rate(0)
        if self._content is not None:
            self._content.abort()
            self._content = None


def takes(session: type[SmtpSession]) -> Mapping[type, Callable[[Any, Any], None]]:
    """Return what a kind of session does with each kind of event.

    By type, as a chain of tests costs more than the rest.
    """
    return {
        Mail: session._mail,
        Rcpt: session._rcpt,
        Command: session._command,
        Hello: session._greeted,
        Body: session._body,
        ChunkEnd: session._chunk,
        End: session._end,
        Refused: session._broken,
    }


SmtpSession.take = takes(SmtpSession)
