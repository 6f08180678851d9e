"""A connection to a host which is told, before a message, who we are or for whom we speak.

    take a batch -> what has to be said for it? -> XCLIENT, AUTH -> the transaction

The rule: what was said holds for the connection. Another client may be claimed on it, but who has
logged in cannot log in as another; a message for which nothing is to be said, or something else,
goes back to its line, and the connection ends.
"""

from dataclasses import replace
from typing import Any, Final

from angarium.core.reply import Reply
from angarium.outbound.attempt import Mail
from angarium.outbound.errors import CLOSED, NO_AUTH_RESPONSE, NO_REPLY, DeliveryError, Reach
from angarium.outbound.logins import HostLogins, claim
from angarium.outbound.means import Means
from angarium.outbound.smtp import Session
from angarium.outbound.traced import TracedSession
from angarium.wire.sasl.names import SCRAM, SCRAM_PLUS
from angarium.wire.smtp_asked import Lost
from angarium.wire.smtp_introduction import ANY, Claim, Introduction, Login
from angarium.wire.smtp_transaction import Stage

BOUND: Final = (SCRAM, SCRAM_PLUS, ANY)
Said = tuple[Claim | None, Login | None]


class IntroducingSession(Session):
    """As any session; it introduces itself."""

    introduces = True
    __slots__ = ("_deaf", "_due", "_introduction", "_logins", "_said")

    def __init__(self, client: Any, hop: Any, source: str, means: Means, *more: Any) -> None:
        super().__init__(client, hop, source, means, *more)
        self._logins: HostLogins = means.logins
        self._said: Said | None = None  # None: nothing was said yet
        self._deaf = False  # the host takes no XCLIENT
        self._due: Said | None = None  # is to be said, or being said, for `_preparing`
        self._introduction: Introduction | None = None

    def _submit(self, mail: Mail) -> None:
        entry = mail.entries[0]
        login = self._logins.login(entry, self.options)
        if isinstance(login, Reply):
            self._fail(mail, login, Stage.IDLE)
            return
        due = (None if self._deaf else claim(entry, self.options), login)
        if due == self._said or (self._said is None and due == (None, None)):
            self._said = due
            super()._submit(mail)
        elif self._said is None or (due[0] is not None and due[1] == self._said[1]):
            self._preparing, self._due = mail, due
            self._introduce()
        else:
            self._line.put_back(list(mail.entries))
            self._retiring = True

    def _advance(self) -> None:
        introduction = self._introduction
        if introduction is not None and introduction.outcome is not None:
            self._introduced(introduction)
        elif self._due is not None and introduction is None and not self._over:
            self._introduce()
        super()._advance()

    def _introduce(self) -> None:
        """Begin, as soon as nothing else is under way."""
        if self._due is None or not self._client.idle:
            return
        known, login = self._due
        self._introduction = Introduction(known, self._bound(login))
        self._heard = self._sweep.now()
        self._client.introduce(self._introduction)
        if self._introduction.outcome is not None:  # There was nothing that could be said.
            self._introduced(self._introduction)

    def _bound(self, login: Login | None) -> Login | None:
        """Return a login with what it may be bound to: the TLS of this connection."""
        if (
            login is None
            or login.mechanism not in BOUND
            or self.options.outbound_smtp_auth_unbound
            or self.assured is None
            or self._transport is None
        ):
            return login
        found = self._transport.get_extra_info("channel_bindings") or {}
        return replace(login, binding=tuple(found.items()))

    def _introduced(self, introduction: Introduction) -> None:
        outcome, mail, due = introduction.outcome, self._preparing, self._due
        assert outcome is not None
        self._introduction = self._preparing = self._due = None
        if mail is None or due is None or self._over:
            return
        before, self._said = self._said, due
        if outcome.failure is not None:
            self._fail(mail, outcome.failure, outcome.stage)
            self._retiring = True
            if self._owner is not None:
                # Each attempt counts at the host, which may lock who fails too often.
                self._owner.barred(self, self.options.dead_destination_delay)
        elif outcome.claimed or due[0] is None:
            super()._submit(mail)
        elif before is None:
            self._deaf, self._said = True, (None, due[1])
            super()._submit(mail)
        else:
            # It holds us for the client of the message before.
            self._line.put_back(list(mail.entries))
            self._retiring = True

    def _fail(self, mail: Mail, reply: Reply, stage: Stage) -> None:
        for entry in mail.entries:
            error = DeliveryError(reply, Reach.MESSAGE, stage, 0, self.hop.endpoint, self.ident)
            self._results.failed(entry, error)

    def _lose(self, reply: Reply) -> None:
        if self._introduction is not None and reply is NO_REPLY[Stage.EHLO]:
            reply = NO_AUTH_RESPONSE
        super()._lose(reply)

    def _end(self, lost: Lost) -> None:
        mail = self._preparing
        if self._due is not None and mail is not None:
            # It counts: else a host which breaks off each time would be tried for ever.
            self._preparing = self._due = None
            self._fail(mail, lost.reply if lost.reply.temporary else CLOSED, lost.stage)
        super()._end(lost)


class TracedIntroducingSession(TracedSession, IntroducingSession):
    """As this, and recorded."""

    __slots__ = ()
