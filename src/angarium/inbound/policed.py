"""A session of reception which asks policy at each step. One without policy is `SmtpSession`.

    the peer says -> what options demand -> the hook -> the answer

The rule which keeps it simple: each step is one coroutine, which asks and then does what the plain
session does. While a handler waits the peer is not answered, so nothing else happens here.
"""

from functools import partial
from typing import Final

from msgspec import structs

from angarium.core.body import Body, MemoryBody
from angarium.core.errors import Error
from angarium.core.ident import printed
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.events.schema import Rejection
from angarium.inbound import copies, replies
from angarium.inbound.asking import now
from angarium.inbound.authenticating import AuthenticatingSession, takes
from angarium.inbound.copies import Copies
from angarium.inbound.envelope import Envelope, note
from angarium.inbound.judging import JudgingSession
from angarium.inbound.origin import endpoint, greeting
from angarium.inbound.putting import put_down
from angarium.inbound.services import Services
from angarium.inbound.smtp import PHASES, SmtpSession
from angarium.journal.errors import SpoolError
from angarium.net.savedsyn import syn_of
from angarium.net.sweep import NEVER
from angarium.policy import hooks
from angarium.policy.context import Session, Which
from angarium.policy.mail import Mail, empty
from angarium.policy.module import Policing
from angarium.policy.parcels import Parcel, parcels
from angarium.queue.admit import RefusedError
from angarium.wire.smtp_grammar import Hello, Rcpt
from angarium.wire.smtp_server import Refused

# Names of the states of a session, as numbers of the event; see inbound/smtp.
_CONTENTS: Final = (hooks.Data, hooks.DataSpool)
_LISTS: Final = (hooks.RcptToList, hooks.RcptToListFinal)
_UNKNOWN: Final = 500  # what a word that is no command is answered with
_CONNECT, _EHLO, _MAIL, _RCPT, _DATA, _BODY, _RELAY = 1, 2, 4, 6, 8, 9, 13


class PolicedSession(JudgingSession):
    """One connection whose policy has handlers."""

    __slots__ = (
        "_arrived",
        "_contents",
        "_copies",
        "_listed",
        "_lists",
        "_named",
        "_named_in_all",
        "_trusting",
    )

    def __init__(self, services: Services, listen: str, policing: Policing) -> None:
        super().__init__(services, listen, policing)
        self._copies = copies.wanted(policing.policy)
        self._contents = [
            (hook, chain) for hook in _CONTENTS if (chain := self._chain(hook)) is not None
        ]
        self._lists = any(self._chain(hook) is not None for hook in _LISTS)
        self._named = self._named_in_all = 0  # RCPT since MAIL, and since the session began
        self._trusting = False  # the client of the message under way may send to any domain
        self._listed = False  # the hooks of the list of recipients were asked
        # As the peer sent it, until it is handed over or dropped.
        self._arrived: Body | None = None

    def opened(self) -> None:
        self._policing.enter()
        transport = self.transport
        assert transport is not None
        self.context = Session(
            peer=endpoint(transport.get_extra_info("peername")),
            local=endpoint(transport.get_extra_info("sockname")),
            listener="esmtp_listener",
            listen=self._listen,
            heard=lambda: self.received > 0,
        )
        self.context.rules = self._services.admit.rules
        self.context.say = self._said_early
        self.context.syn = self._syn
        super().opened()

    def lost(self, error: Exception | None) -> None:
        super().lost(error)
        self._ask_dealloc()
        self._policing.leave()

    def _ask_dealloc(self) -> None:
        chain = self._policing.policy.chain(hooks.Dealloc)
        if chain is not None:
            chain.ask(hooks.Dealloc(self.context))

    def _no(self, reply: Reply, phase: int, rcpt: Rcpt | None = None) -> None:
        """Say no, and hang up if policy wants it."""
        if self.context.disconnect or reply.code == 421:
            self._leave(reply, phase)
        else:
            self._wire.answer(reply)
            self._refused(reply, phase, rcpt)

    # The connection.

    def _welcome(self) -> None:
        self._let_in()
        context, origin = self.context, self.origin
        context.pathway = origin.profile.pathway
        context.connection = origin.connection
        context.generation = origin.profile.generation
        context.variables.update(origin.variables())
        self._held = True
        self._go(self._connected())

    async def _connected(self) -> None:
        context = self.context
        refusal = await now(self._ask(hooks.Accept, context))
        if refusal is None:
            refusal = await now(self._ask(hooks.Connect, context))
        self._held = False
        if refusal is not None:
            self._leave(refusal, _CONNECT)
        else:
            super()._welcome()

    def _said_early(self, line: str) -> None:
        """Say a line before the banner, while that is waited for."""
        if self.transport is not None and not self.closing:
            self.transport.write(line.encode("ascii", "replace") + b"\r\n")

    def _syn(self) -> bytes:
        return b"" if self.transport is None else syn_of(self.transport)

    def _banner(self) -> Reply:
        reply, lines = super()._banner(), self.context.greeting
        return Reply(220, "\n".join([*lines, reply.text])) if lines else reply

    def _broken(self, event: Refused) -> None:
        super()._broken(event)
        chain, context = self._policing.policy.chain(hooks.BadCommand), self.context
        if chain is None or self.closing:
            return
        chain.ask(hooks.BadCommand(context, event.reply.code != _UNKNOWN))
        # The peer has been answered already: a handler can only end the session.
        reply, context.reply = context.reply, None
        if context.disconnect:
            last = replies.UNAVAILABLE if reply is None or reply.positive else reply
            self._leave(last, PHASES[self._wire.state])

    def _greeted(self, hello: Hello) -> None:
        before = self.origin.hello
        self._name(hello)
        self._go(self._hello(hello, before))

    def _name(self, hello: Hello) -> None:
        self.origin.greeted(hello)
        self.context.variables.update(greeting(hello))

    async def _hello(self, hello: Hello, before: Hello | None) -> None:
        refusal = await now(self._ask(hooks.Ehlo, self.context, hello.name))
        if refusal is not None:
            # RFC 5321 section 4.1.4: all stays as it was, the transaction too.
            self._no(refusal, _EHLO)
            if before is not None:
                self._name(before)
        else:
            super()._greeted(hello)

    def _offered(self) -> str:
        context = self.context
        if not (context.added or context.removed):
            return super()._offered()
        lines = [
            line
            for line in super()._offered().split("\n")
            if line.partition(" ")[0] not in context.removed
        ]
        return "\n".join((*lines, *context.added))

    # The envelope.

    def _begun(self) -> None:
        envelope, context = self._envelope, self.context
        assert envelope is not None
        services, origin, sender = self._services, self.origin, envelope.sender
        now = services.clock.time()
        message = empty(sender, now=now, protocol="esmtp")
        message.variables = envelope.variables()
        message.source, message.pathway = origin.source, origin.profile.pathway
        message.connection = origin.connection
        message.batch = services.next_id(now)
        context.mail = Mail(message, envelope.recipients, context, whole=False)
        self._listed, self._named = False, 0
        variables = context.variables
        variables["connection_message_count"] = str(self._messages + 1)
        variables["message_rcpt_count"] = "0"
        chain = self._chain(hooks.MailFrom)
        if chain is None:
            self._sender(None)
            return
        refusal = self._refusal(chain.ask(hooks.MailFrom(context, sender)))
        if refusal is None:
            self._sender(None)
        else:
            self._then(refusal, self._sender)

    def _sender(self, refusal: Reply | None) -> None:
        """Policy has said what it thinks of the sender."""
        envelope, mail = self._envelope, self.context.mail
        assert envelope is not None
        assert mail is not None
        if refusal is not None:
            self._unwanted = True
            self._no(refusal, _MAIL)
            self._end_transaction()
            return
        envelope.sender = mail.sender
        self._trusting = trusting = self.context.trusted
        if trusting is not envelope.trusted:
            envelope.trust(client=trusting)
        super()._begun()

    def _rcpt(self, rcpt: Rcpt) -> None:
        envelope, context = self._envelope, self.context
        assert envelope is not None
        self._named += 1
        self._named_in_all += 1
        variables = context.variables
        variables["message_rcpt_count"] = str(self._named)
        variables["connection_rcpt_count"] = str(self._named_in_all)
        trusting = context.trusted
        if trusting is not self._trusting:
            self._trusting = trusting
            envelope.trust(client=trusting)
        reply, chain, denied = envelope.add(rcpt), self._chain(hooks.RcptTo), False
        if reply is not replies.RCPT_OK:
            denied = chain is not None and reply is replies.RELAYING_DENIED
            if not (denied and self._as_if_trusted(envelope, rcpt)):
                self._no(reply, _RELAY if reply is replies.RELAYING_DENIED else _RCPT, rcpt)
                return
        mail = context.mail
        assert mail is not None
        note(rcpt, mail.message.variables)
        if chain is None:
            self._wire.answer(reply)
            return
        added = envelope.recipients[-1]
        refusal = self._refusal(chain.ask(hooks.RcptTo(context, rcpt.address)))
        if refusal is None and not denied:
            self._wire.answer(reply)
        else:
            self._then(refusal, partial(self._recipient, envelope, rcpt, added, denied))

    def _as_if_trusted(self, envelope: Envelope, rcpt: Rcpt) -> bool:
        """Note a recipient to whom only a trusted client may send: policy may say it is one."""
        envelope.trusted = True
        noted = envelope.add(rcpt) is replies.RCPT_OK
        envelope.trusted = False
        return noted

    def _recipient(
        self,
        envelope: Envelope,
        rcpt: Rcpt,
        added: Recipient,
        denied: bool,
        refusal: Reply | None,
    ) -> None:
        """Policy has said what it thinks of a recipient."""
        if refusal is None and denied:
            self._trusting = self.context.trusted
            envelope.trust(client=self._trusting)
            refusal = None if envelope.trusted else replies.RELAYING_DENIED
        if refusal is None:
            self._wire.answer(replies.RCPT_OK)
        else:
            # A handler may have changed the list, and two recipients may be equal.
            envelope.recipients[:] = [r for r in envelope.recipients if r is not added]
            self._no(refusal, _RELAY if refusal is replies.RELAYING_DENIED else _RCPT, rcpt)

    # The message.

    def _data(self) -> None:
        if not self._lists:
            self._listed = True
            super()._data()
        else:
            self._go(self._list())

    async def _list(self) -> None:
        refusal = await self._ask_list()
        if refusal is not None:
            self._no(refusal, _DATA)  # The envelope stays, until the peer says RSET.
        else:
            super()._data()

    async def _ask_list(self) -> Reply | None:
        refusal = await now(self._ask(hooks.RcptToList, self.context))
        if refusal is None:
            refusal = await now(self._ask(hooks.RcptToListFinal, self.context))
        self._listed = refusal is None
        return refusal

    def _next_id(self, now: float) -> int:
        mail = self.context.mail
        return mail.message.batch if mail is not None else super()._next_id(now)

    def _received(self, message: Message, envelope: Envelope) -> None:
        mail = self.context.mail
        assert mail is not None
        mail.received(message)
        self._arrived = message.body
        self.deadline = NEVER  # From here on it is we who make it wait.
        if message.body.__class__ is MemoryBody:
            self._go(self._judge(mail))
        else:
            self._held = True
            self._services.admit.written(message, lambda: self._whole(mail))

    def _whole(self, mail: Mail) -> None:
        """What was given to the disk of it can be read."""
        self._held = False
        if not self.closing:
            self._go(self._judge(mail))
            self.pump()

    async def _judge(self, mail: Mail) -> None:
        try:
            await self._decide(mail)
        except (Error, OSError) as error:
            # A large body could not be read, or what was made of it could not be written.
            guard = self._policing.policy.guard
            guard.panic("policy", f"message {printed(mail.message.batch)}: {error}")
            self._drop(replies.of(error) if isinstance(error, SpoolError) else guard.failed)

    async def _decide(self, mail: Mail) -> None:
        refusal = None if self._listed else await self._ask_list()
        for hook, chain in self._contents:
            if refusal is None:
                asked = self._refusal(chain.ask(hook(mail, self.context)))
                refusal = asked if asked is None or isinstance(asked, Reply) else await asked
        if refusal is None and not mail.recipients and mail.discarded is None:
            refusal = replies.NO_RECIPIENTS
        if refusal is not None:
            self._drop(refusal)
            return
        if mail.discarded is not None:
            self._reject(mail.discarded, _BODY)
            self._pretend(mail)
            return
        shared = mail.finish()
        if mail.routing:
            for recipient in mail.recipients:
                recipient.domain = mail.routing
        if self._copies:
            lots = self._kept(mail, shared, await copies.made(mail, self._ask_about, self._copies))
        else:
            lots = [(shared, list(mail.recipients))]
        if not lots:
            return
        arrived, services = self._arrived, self._services
        assert arrived is not None
        if len(lots) > 1 or lots[0][0].body is not arrived:
            await put_down(lots, arrived, self._profile.large, services.admit, services.large)
        self._hand_over(mail, lots, arrived)

    def _kept(self, mail: Mail, shared: Message, found: Copies) -> list[Parcel]:
        """Return what is to be handed over; where it is nothing the peer is answered."""
        if found.kept and not (found.refused or found.discarded):
            return parcels(shared, found.kept, compare=self._services.compares_batches)
        for reply in (*found.discarded, *(reply for _, reply in found.refused)):
            self._reject(reply, _BODY)
        later = next((reply for _, reply in found.refused if reply.temporary), None)
        if later is not None:
            # A report would end what is only put off: the peer keeps the message for all.
            self._drop(later)
        elif found.kept:
            batches = self._services.compares_batches
            return [*parcels(shared, found.kept, compare=batches), *self._reports(found)]
        elif found.refused:
            self._drop(found.refused[0][1])
        else:
            self._pretend(mail)
        return []

    def _reports(self, found: Copies) -> list[Parcel]:
        """Return what the sender is told of recipients who were refused while others were not."""
        if not self._profile.bounce_refused:
            return []
        report = self._services.report
        made = [report(each.message, each.recipients[0], reply) for each, reply in found.refused]
        return [each for each in made if each is not None]

    def _hand_over(self, mail: Mail, lots: list[Parcel], arrived: Body) -> None:
        variables = dict(self.context.variables)
        for message, _ in lots:
            if message.protocol != "internal":
                message.session_variables = variables
            if message.body is arrived:
                self._arrived = None  # It goes on; else the end of the transaction frees it.
        self._submitted = mail.message
        self._end_transaction()
        self._services.admit.submit_all(lots, self._durable, self.context)

    def _durable(self, error: SpoolError | None) -> None:
        if isinstance(error, RefusedError) and error.reply is not None:
            # Policy said no at the very end, when binding and domain were known.
            if not self.closing:
                self._no(error.reply, _BODY)
            self._submitted = None
            self.pump()
            return
        super()._durable(error)

    def _drop(self, reply: Reply) -> None:
        self._no(reply, _BODY)
        self._end_transaction()

    def _pretend(self, mail: Mail) -> None:
        """Say yes to a message which goes nowhere."""
        self._messages += 1
        self._idle_commands = 0
        self._end_transaction()
        self._wire.accept(b"250 2.0.0 OK %b\r\n" % printed(mail.message.batch).encode())

    def _end_transaction(self) -> None:
        super()._end_transaction()
        self.context.mail = None
        arrived, self._arrived = self._arrived, None
        if arrived is not None:
            self._services.admit.drop(Message("", arrived))

    def _rejection(self, now: float, reply: Reply, phase: int, rcpt: Rcpt | None) -> Rejection:
        """Return what is logged of a refusal, with what policy knows."""
        context, mail, submitted = self.context, self.context.mail, self._submitted
        plain = super()._rejection(now, reply, phase, rcpt)
        known = dict(submitted.variables) if submitted is not None else {}
        if mail is not None:
            known = mail.variables(Which.MESSAGE) | plain.mess_vars
        return structs.replace(
            plain, module=context.module, conn_vars=dict(context.variables), mess_vars=known
        )


PolicedSession.take = takes(PolicedSession)


def session(services: Services, listen: str) -> SmtpSession:
    """Return a session for a connection of this socket, ruled by the policy in force."""
    if services.policing.policy:
        return PolicedSession(services, listen, services.policing)
    return AuthenticatingSession(services, listen)
