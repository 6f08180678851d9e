"""One outbound SMTP connection: drives `wire/smtp_client` over a transport.

It takes batches from its line whenever the client is free, so that in a busy session the content
of one message and the commands of the next leave in one write. No task and no timer belongs to a
message: one sweep looks at all connections.

Bound of a connection, in octets: what the transport holds unsent (`tcp_buffer_size`) and a piece
of 64 KiB; two messages at most are in flight. While the peer does not take what we send nothing
more is read from the spool or taken from the line.
"""

import asyncio
from functools import partial
from typing import Final, cast

from angarium.core.errors import Error
from angarium.core.fault import FAULTS
from angarium.core.message import Trait
from angarium.core.reply import Reply
from angarium.net.sweep import NEVER
from angarium.net.tls.errors import TlsError
from angarium.net.tls.layer import TlsLayer
from angarium.outbound import attempt
from angarium.outbound.attempt import Mail
from angarium.outbound.errors import CLOSED, NO_REPLY, UNREADABLE
from angarium.outbound.means import Means
from angarium.outbound.owner import Owner
from angarium.outbound.permits import Permit
from angarium.outbound.route import Hop
from angarium.outbound.secured import Assured, Plan, reply_of, vouched, vouches
from angarium.outbound.toll import PACE_SECONDS, Toll
from angarium.queue.entry import Entry
from angarium.queue.throttle import HAND_BACK_MESSAGES, HAND_BACK_SECONDS
from angarium.wire.smtp_asked import Lost
from angarium.wire.smtp_client import SmtpClient
from angarium.wire.smtp_transaction import Extensions, Stage

# How often a connection is looked at, if no stage has a shorter timeout: within this is noticed
# who waits for what the connection holds.
BRISK_SECONDS: Final = 0.005
LOOK_SECONDS: Final = HAND_BACK_SECONDS
_MANY: Final = 1 << 30
_STAYS: Final = int(Trait.REQUIRETLS)


class Session(asyncio.Protocol):
    """A connection.

    Attributes:
        greeted: done when the session is open, with None, or lost before, with why.
        brisk: the last reply came within a few milliseconds.
        spoiled: the mail whose content could not be read, and why; then we broke off.
        mails: transactions which ended on it; `successes` of them for somebody.
        recipients: named on it.
        assured: what TLS has come to; None: it is in clear. `introduces`: see `introducing`.
        trouble: how TLS failed.
        spent: seconds which its transactions took together.
    """

    __slots__ = (
        "_begun", "_client", "_heard", "_limited", "_line", "_look", "_note", "_over", "_owner",
        "_patience", "_permit", "_plan", "_preparing", "_recorder", "_results", "_retiring",
        "_stages", "_stuck", "_sweep", "_transport", "_unsent", "_working", "assured", "brisk",
        "greeted", "hop", "ident", "mails", "options", "recipients", "resting", "slot", "source",
        "spent", "spoiled", "successes", "terms", "toll", "trouble", "wanted",
    )  # fmt: skip

    introduces = False

    def __init__(
        self,
        client: SmtpClient,
        hop: Hop,
        source: str,
        means: Means,
        ident: int,
        plan: Plan | None = None,
    ) -> None:
        self.hop = hop
        self.source = source
        self.options = options = means.options
        self._limited = bool(
            options.max_deliveries_per_connection or options.max_recipients_per_connection
        )
        self.terms, self.wanted = means.terms, means.wanted
        self.assured: Assured | None = None
        self.trouble: TlsError | None = None
        self._plan = plan
        self.ident = ident
        self.slot = 0  # the sweep's
        self.resting = False
        self.toll: Toll | None = None  # where its host has a rate
        self.mails = self.successes = self.recipients = 0
        self.spent = 0.0
        self.greeted: asyncio.Future[Lost | None] = asyncio.get_running_loop().create_future()
        self._client = client
        self._line, self._note = means.line, means.note
        self._stages, self._results = means.stages, means.results
        self._sweep = means.sweep
        self._owner: Owner | None = None
        self._permit: Permit | None = None
        self._transport: asyncio.Transport | None = None
        self._patience = means.patience
        self._look = LOOK_SECONDS
        self._heard = self._begun = means.sweep.now()
        self._working = self._retiring = self._stuck = False
        self._preparing: Mail | None = None  # taken, and not submitted yet
        self._unsent = means.unsent
        self._over = False
        self.spoiled: tuple[Mail, Error | OSError] | None = None

    # What its owner does.

    def start(self, owner: Owner, permit: Permit) -> None:
        """Take work from the line from now on; the permit is given back at the end."""
        self._owner = owner
        self._permit = permit
        if self._over:
            if self._transport is None:
                self._release()
            owner.over(self)
            return
        self._working = True
        self.work()

    def fits(self, means: Means, hop: Hop) -> bool:
        """Say whether it rests and is what a new connection to a host by these means would be."""
        alike = self.options is means.options and self.terms == means.terms
        alike = alike and self.hop.demand == hop.demand and self.resting and not self._retiring
        return alike and vouches(self.assured, means.terms, self.hop, hop)

    def move(self, means: Means) -> None:
        """Leave the line it rests in for another one; its new owner starts it."""
        self._release()
        self._owner = self._permit = None
        self._line = means.line
        self._working = False

    def work(self) -> None:
        """There is mail in the line: take some."""
        self.resting = False
        self._heard = self._sweep.now()
        self._advance()

    def retire(self) -> None:
        """Take no more work; say QUIT when what is under way has ended."""
        self._retiring = True
        if not self._over:
            self._advance()

    def abort(self) -> None:
        """Drop the connection; what is in flight is not settled. Only at the end of a worker."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()

    @property
    def stage(self) -> Stage:
        return self._client.stage

    @property
    def descriptor(self) -> int:
        """Return the descriptor of its socket, -1 when it has none."""
        used = None if self._transport is None else self._transport.get_extra_info("socket")
        return -1 if used is None else used.fileno()

    @property
    def local(self) -> str:
        """Return our address of it; "" when it has none."""
        name = None if self._transport is None else self._transport.get_extra_info("sockname")
        return str(name[0]) if name else self.source

    @property
    def quiet_seconds(self) -> float:
        """Return how long nothing has come."""
        return self._sweep.now() - self._heard

    @property
    def proved(self) -> bool:
        """Whether a transaction has ended on it, well or not."""
        return self.mails > 0

    @property
    def entries(self) -> list[Entry]:
        """What it has taken from the line and not yet settled."""
        mails = self._client.unfinished() if not self._over else []
        if self._preparing is not None:
            mails = [*mails, self._preparing]
        return [entry for mail in mails for entry in cast(Mail, mail).entries]

    @property
    def holds(self) -> list[str]:
        """Return what it is counted as, by keys of the ledger."""
        return [] if self._permit is None else self._permit.keys

    @property
    def lost(self) -> Lost | None:
        return self._client.lost

    # What the loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=self._unsent)
        self._look = min(LOOK_SECONDS, *self._patience.values())
        self._sweep.add(self, self._sweep.now() + self._look)

    def data_received(self, data: bytes) -> None:
        client = self._client
        client.receive(data)
        if not client.midway:  # A reply which comes octet by octet must come in time as a whole.
            now = self._sweep.now()
            self.brisk = now - self._heard < BRISK_SECONDS
            self._heard = now
        self._advance()
        if self._plan is not None and client.shaking and self._transport is not None:
            self._transport = self.begin_tls(self._plan, self._transport)

    def eof_received(self) -> bool:
        self._lose(CLOSED)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if isinstance(error, TlsError):
            self.trouble = error
        self._lose(reply_of(error, CLOSED))
        self._transport = None
        self._sweep.remove(self)
        self._release()

    def pause_writing(self) -> None:
        self._stuck = True

    def resume_writing(self) -> None:
        self._stuck = False
        self._heard = self._sweep.now()
        self._advance()

    def look(self, now: float) -> float:
        """Act on a timeout; called by the sweep."""
        if self._over:
            if self._transport is not None:
                self._transport.abort()
            return NEVER
        stage = self._client.stage
        due = self._heard + self._patience[stage]
        if self._retiring and self._client.finishing:
            due = self._heard + self.options.rset_timeout
        if now < due:
            old = self.resting or now - self._begun >= HAND_BACK_SECONDS
            if self._working and not self._retiring and old and self._called_for():
                self.retire()
            return min(due, now + self._look)
        if stage is Stage.IDLE and not self._retiring:
            self.retire()
            return now + LOOK_SECONDS
        self._lose(NO_REPLY[stage])
        return NEVER

    # How it moves on.

    def _advance(self) -> None:
        if self._over:
            return
        client = self._client
        for mail in client.finished():
            self._finished(cast(Mail, mail))
        if client.lost is not None:
            self._end(client.lost)
            return
        if client.free and not self._stuck:
            if self._working:
                self._take()
            elif not self.greeted.done():
                if self._plan is not None:
                    self._plan.keep()
                    self._plan = None
                self.greeted.set_result(None)
        self._send()

    def begin_tls(self, plan: Plan, transport: asyncio.Transport) -> asyncio.Transport:
        """Begin the handshake; return what is written to from now on."""
        return plan.begin(transport, self, self.secured)

    def secured(self, layer: TlsLayer) -> None:
        """The handshake is done: look who is there, and begin anew."""
        plan, self._heard = self._plan, self._sweep.now()
        assert plan is not None
        verdict = plan.judge(layer)
        self.assured = verdict.assured
        if verdict.refusal is not None:
            self._lose(verdict.refusal)
            return
        self._client.secured(trusted=self.assured.verified and vouched(self.hop))
        self._advance()

    def _take(self) -> None:
        """Take batches from the line, as long as the client takes one."""
        client, line = self._client, self._line
        peer = client.extensions
        while client.free and peer is not None and self._preparing is None:
            room = self._room() if self._limited else _MANY
            batch = line.take(room) if room > 0 and not self._retiring else None
            if batch and self.toll is not None and not self._permitted(batch, self.toll):
                batch = None
            if not batch:
                if self._retiring or room <= 0:
                    self._leave()
                elif client.idle and not self.resting:
                    self._rest()
                return
            first = batch[0]
            if first.message.traits & _STAYS and not peer.requiretls and self._owner is not None:
                self._owner.set_aside(batch, stays=True)
                continue
            begun = self._stages.begins(first.message.received_at, first.attempts)
            mail = Mail(batch, begun, "" if self.assured is None else self.assured.record)
            if mail.traits and attempt.takes_long(mail, peer, self.options):
                self._prepare(mail, peer)
                return
            if not attempt.fits(
                mail, peer, self.options, self._results, self._note, self.hop.endpoint, self.ident
            ):
                continue
            self._submit(mail)

    def _submit(self, mail: Mail) -> None:
        self.recipients += len(mail.entries)
        self._client.submit(mail)
        for each in self._client.finished():  # It had an address that is no address.
            self._finished(cast(Mail, each))

    def _prepare(self, mail: Mail, peer: Extensions) -> None:
        """Let a thread make a large content fit; nothing else is taken meanwhile."""
        self._preparing = mail
        job = asyncio.get_running_loop().run_in_executor(
            None, attempt.unfit, mail, peer, self.options
        )
        job.add_done_callback(partial(self._prepared, mail))

    def _prepared(self, mail: Mail, job: "asyncio.Future[Reply | None]") -> None:
        error = job.exception()
        if self._preparing is not mail:
            return  # The connection ended meanwhile, and the mail is in its line again.
        self._preparing = None
        if isinstance(error, Error | OSError):
            attempt.unread(mail, error, self._results, self.hop.endpoint, self.ident)
        elif (refused := job.result()) is not None:
            attempt.refuse(mail, refused, self._results, self.hop.endpoint, self.ident)
        else:
            self._heard = self._sweep.now()
            self._submit(mail)
        self._advance()

    def _permitted(self, batch: list[Entry], toll: Toll) -> bool:
        """Say whether the rate of the host allows the batch now; if not, put it back.

        If that is for long the connection ends: another host may take the mail meanwhile.
        """
        seconds = toll.take(batch)
        if seconds <= 0.0:
            return True
        self._line.put_back(batch)
        self._retiring = self._retiring or seconds > PACE_SECONDS
        if self._owner is not None:
            self._owner.held(self, seconds)
        return False

    def _release(self) -> None:
        """Give back what it was counted as."""
        if self.toll is not None:
            self.toll.refund()
        if self._permit is not None:
            self._permit.release()

    def _called_for(self) -> bool:
        """Say whether somebody else is to have what we hold."""
        permit = self._permit
        return permit is not None and (permit.wanted() if self.resting else permit.give_way())

    def _give_way(self, owner: Owner) -> None:
        """Give this connection up after a transaction, if somebody else is to have it.

        So that connections are not made for a message each, its line has sent some since it last
        did that; or this one has been open for long.
        """
        owner.served += 1
        old = self._heard - self._begun >= HAND_BACK_SECONDS
        if (old or owner.served >= HAND_BACK_MESSAGES) and self._called_for():
            owner.served = 0
            self._retiring = True

    def let_go(self, key: str) -> bool:
        """Give up a connection which rests if it holds a key others wait for; say whether."""
        if not self.resting or self._permit is None or not self._permit.holds(key):
            return False
        self._leave()
        self._send()
        return True

    def _room(self) -> int:
        """Return how many recipients may still be named on this connection."""
        options = self.options
        most = options.max_deliveries_per_connection
        if most and self.successes + len(self._client.unfinished()) >= most:
            return 0
        named = options.max_recipients_per_connection
        return max(named - self.recipients, 0) if named else _MANY

    def _leave(self) -> None:
        """Say QUIT if nothing is under way."""
        if self._client.idle:
            self._retiring = True
            self._client.quit()
            if self._owner is not None:
                self._owner.leaving(self)

    def _rest(self) -> None:
        if self._permit is not None and self._permit.wanted():
            self._leave()  # Somebody waits for what we do not need now.
            return
        self.resting = True
        self._sweep.add(self, self._heard + self.options.idle_timeout)
        if self._owner is not None:
            self._owner.rested(self)

    def _send(self) -> None:
        transport, client = self._transport, self._client
        while not self._stuck and transport is not None:
            try:
                out = client.data_to_send()
            except (Error, OSError) as error:
                # Half of a content is out: only silence can take it back.
                self.spoiled = cast(Mail, client.current), error
                self._lose(UNREADABLE)
                return
            if not out:
                return
            if FAULTS.armed and client.stage is Stage.CONFIRM:
                attempt.ending()
            transport.writelines(out)

    def _finished(self, mail: Mail) -> None:
        self.mails += 1
        self.spent += self._stages.attempted(mail.begun)
        peer = self._client.extensions
        delivered = attempt.settle(
            mail,
            self._results,
            self.hop.endpoint,
            self.ident,
            reports=peer is not None and peer.dsn,
        )
        if delivered:
            self.successes += 1
        if self._owner is not None:
            self._give_way(self._owner)

    def _lose(self, reply: Reply) -> None:
        """The connection is gone, or we give it up."""
        if self._over:
            return
        self._client.lose(reply)
        for mail in self._client.finished():
            self._finished(cast(Mail, mail))
        lost = self._client.lost
        assert lost is not None
        self._end(lost)

    def _end(self, lost: Lost) -> None:
        """Nothing more goes over this connection: deal with what it leaves, and let it go."""
        self._over = True
        # The newest first, as each goes back to the front of the line.
        if self._preparing is not None:
            self._line.put_back(list(self._preparing.entries))
            self._preparing = None
        spoiled, why = self.spoiled or (None, None)
        for mail in reversed(self._client.unfinished()):
            left = cast(Mail, mail)
            if left is spoiled and why is not None:
                attempt.unread(left, why, self._results, self.hop.endpoint, self.ident)
                continue
            proved = self.proved or why is not None
            again = attempt.abandon(
                left, lost, self._results, self.hop.endpoint, self.ident, proved=proved
            )
            if again:
                self._line.put_back(again)
        if self._transport is not None:
            if self._client.finishing or lost.said:
                self._transport.close()
            else:
                self._transport.abort()
        if not self.greeted.done():
            self.greeted.set_result(lost)
        if self._owner is not None:
            self._owner.over(self)
