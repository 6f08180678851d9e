"""A session of reception which is told who the client is: AUTH (RFC 4954).

    AUTH -> an exchange of wire/sasl -> who says whether it is true -> policy -> 235, or no

The rule which keeps it simple: `_attempt` is there from AUTH to its answer, and each response is
one step of it. What was said of a password stays in the exchange: nothing here shows it.
"""

import asyncio
import inspect
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from angarium.core.errors import Error
from angarium.core.reply import Reply
from angarium.inbound import replies
from angarium.inbound.authenticators import Visit
from angarium.inbound.errors import AnsweredError, TroubleError
from angarium.inbound.logins import Login, Outcome
from angarium.inbound.offers import Offer, Plan
from angarium.inbound.secure import SecureSession
from angarium.inbound.services import Services
from angarium.inbound.smtp import takes as takes_plainly
from angarium.net.stream import Expiry
from angarium.policy.going import Later
from angarium.wire.sasl.errors import MalformedError, RefusedError
from angarium.wire.sasl.exchange import (
    MAX_NAME,
    Challenge,
    Claim,
    DigestWanted,
    Identity,
    Question,
    ScramWanted,
    Server,
)
from angarium.wire.sasl.mechanisms import Setting, server
from angarium.wire.sasl.names import ALL, EXTERNAL
from angarium.wire.sasl.scram import Channel
from angarium.wire.smtp_grammar import Auth, Command, Mail
from angarium.wire.smtp_server import Refused, Response

_NONCE: Final = 18  # octets
_MAIL: Final = 4  # "awaiting mailfrom", the state in which AUTH comes
CLOSING: Final = 421
PASS, FAIL, ERROR = "pass", "fail", "error"  # auth_status
LOCKED: Final = "locked"
NOTHING: Final[Mapping[str, bytes]] = {}


class LockedError(Error):
    """So many have tried this name that nobody new may."""


@dataclass(slots=True)
class Attempt:
    """One AUTH.

    Attributes:
        exchange: None until it begins.
        began: monotonic.
        user: the name which was said; "" as long as none was.
    """

    mechanism: str
    offer: Offer
    exchange: Server = field(repr=False)
    began: float
    user: str = ""


class AuthenticatingSession(SecureSession):
    """One connection."""

    __slots__ = ("_attempt", "_failures")

    def __init__(self, services: Services, listen: str) -> None:
        super().__init__(services, listen)
        self._attempt: Attempt | None = None
        self._failures = 0

    @property
    def _plan(self) -> Plan:
        return self._profile.plan

    @property
    def _secure(self) -> bool:
        transport = self.transport
        return transport is not None and transport.get_extra_info("ssl_object") is not None

    # What others do, and AUTH adds to it.

    def _welcome(self) -> None:
        self._let_in()
        super()._welcome()

    def _let_in(self) -> None:
        """Say who the client is where it need not (always_allow)."""
        if self._plan.anonymous:
            self.origin.authenticated("", self._plan.anonymous)

    def _offered(self) -> str:
        usable = self._usable()
        if not usable or self._wire.authenticated:
            return super()._offered()
        return f"{super()._offered()}\nAUTH {' '.join(usable)}"

    def _usable(self) -> list[str]:
        external = self._plan.offers.get(EXTERNAL)
        return self._plan.usable(
            self.origin.address,
            secure=self._secure,
            bound=bool(self._bindings()),
            named=external is not None and bool(self._names(external.name)),
        )

    def _mail(self, mail: Mail) -> None:
        if self._plan.required and not self._trusts():
            tls = self._plan.speaks and not self._usable() and not self._secure
            self._unwanted = True
            self._answer(replies.TLS_FIRST if tls else replies.AUTH_FIRST, _MAIL)
            return
        if not self.origin.known:
            mail.auth = ""  # RFC 4954 section 5: who is not known cannot say who submitted it
        super()._mail(mail)

    def _trusted(self, command: Command) -> None:
        known = self.origin.known
        super()._trusted(command)
        if known is not self.origin.known:
            self._wire.authenticated = self.origin.known  # XCLIENT: the session began anew

    def _broken(self, event: Refused) -> None:
        if self._attempt is not None:
            # `*`, or what is no base64: the wire has said so.
            self._end_attempt()
        super()._broken(event)

    def expired(self, which: Expiry) -> None:
        attempt = self._attempt
        if attempt is not None and attempt.offer.log:
            self._account(attempt, Outcome.LATE)
        super().expired(which)

    def lost(self, error: Exception | None) -> None:
        self._end_attempt()
        super().lost(error)

    def _end_attempt(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.exchange.close()

    # AUTH.

    def _auth(self, command: Auth) -> None:
        refusal = self._outdated() or self._not_so(command.mechanism)
        if refusal is not None:
            self._answer(refusal, _MAIL)
            return
        limit = self._plan.limits.auth_failures_per_address
        if self._services.guesses.blocks_address(self.origin.address, limit):
            self._services.counts.authentication("locked")
            self._leave(replies.TOO_MANY_GUESSES, _MAIL)
            return
        mechanism = command.mechanism
        offer = self._plan.offers[mechanism]
        exchange = server(mechanism, command.initial, self._setting(offer))
        began = self._services.clock.monotonic()
        self._attempt = attempt = Attempt(mechanism, offer, exchange, began)
        self._go(self._step(attempt, None))

    def _not_so(self, mechanism: str) -> Reply | None:
        """Return why a mechanism cannot be used; None if it can."""
        usable = self._usable()
        if mechanism in usable:
            return None
        if mechanism in self._plan.offers and not self._secure:
            return replies.ENCRYPT
        return replies.TOO_WEAK if usable and mechanism in ALL else replies.NO_MECHANISM

    def _setting(self, offer: Offer) -> Setting:
        return Setting(
            nonce=lambda: secrets.token_hex(_NONCE),
            host=self._profile.greeting,
            realm=offer.realm,
            key=self._services.auth_key,
            channel=Channel(self._bindings()),
            names=self._names(offer.name) if offer.mechanism == EXTERNAL else (),
        )

    def _bindings(self) -> Mapping[str, bytes]:
        """Return what SCRAM can be bound to, by kind."""
        transport = self.transport
        found = transport.get_extra_info("channel_bindings") if transport is not None else None
        return found or NOTHING

    def _names(self, which: str) -> Sequence[str]:
        """Return the names of a certificate which was verified; see `Offer.name`."""
        transport = self.transport
        verified = transport.get_extra_info("verified_peer") if transport is not None else None
        return names_of(verified, which) if verified else ()

    def _response(self, response: Response) -> None:
        assert self._attempt is not None
        self._go(self._step(self._attempt, response.data))

    async def _step(self, attempt: Attempt, said: object) -> None:
        """Go on until the client has to say something, or it is over."""
        try:
            step = attempt.exchange.advance(said)
            while not isinstance(step, Challenge | Identity):
                step = attempt.exchange.advance(await self._asked(attempt, step))
        except AnsweredError as answered:
            await self._failed(attempt, FAIL, answered.reply)
        except RefusedError:
            await self._failed(attempt, FAIL, replies.WRONG_PASSWORD)
        except MalformedError:
            await self._failed(attempt, FAIL, replies.MALFORMED)
        except LockedError:
            await self._failed(attempt, LOCKED, replies.USER_LOCKED)
        except TroubleError as error:
            self._services.trouble(f"authentication by {attempt.offer.uri}: {error}")
            await self._failed(attempt, ERROR, replies.AUTH_TROUBLE)
        else:
            if isinstance(step, Challenge):
                self._wire.challenge(step.data)
            else:
                await self._succeeded(attempt, step.user)

    async def _asked(self, attempt: Attempt, question: Question) -> object:
        """Return what is known of a user. Raises TroubleError, AnsweredError, LockedError."""
        origin, limits = self.origin, self._plan.limits
        user = attempt.user = question.user
        guesses = self._services.guesses
        if user and guesses.blocks_user(user, origin.address, limits.auth_failures_per_user):
            raise LockedError("too many failed attempts", user=user)
        who, visit = attempt.offer.authenticator, self._visit(attempt)
        found: object
        match question:
            case Claim():
                found = who.check(question, visit)
            case DigestWanted():
                found = who.digest(question, visit)
            case ScramWanted():
                found = who.scram(question, visit)
        return await Later(found) if inspect.isawaitable(found) else found

    def _visit(self, attempt: Attempt) -> Visit:
        offer, origin = attempt.offer, self.origin
        return Visit(
            uri=offer.uri,
            address=origin.source,
            host=origin.address,
            secure=self._secure,
            realm=offer.realm,
            cleartext=offer.cleartext,
            key=self._services.auth_key,
        )

    async def _succeeded(self, attempt: Attempt, user: str) -> None:
        attempt.user = user
        refusal = await self._judged(attempt, PASS)
        if refusal is not None:
            await self._failed(attempt, FAIL, refusal, judged=True)
            return
        self._attempt = None
        self.origin.authenticated(attempt.mechanism, user)
        self._told()
        self._services.guesses.succeeded(user, self.origin.address)
        self._services.counts.authentication(PASS)
        if attempt.offer.log:
            self._account(attempt, Outcome.RIGHT)
        self._wire.authenticated = True
        self._wire.answer(replies.AUTHENTICATED)

    async def _failed(
        self, attempt: Attempt, status: str, reply: Reply, *, judged: bool = False
    ) -> None:
        """Say no, later: how long it took says nothing."""
        services, origin, limits = self._services, self.origin, self._plan.limits
        self._end_attempt()
        services.counts.authentication(status)
        if status == FAIL:
            self._failures += 1
            services.guesses.failed(attempt.user, origin.address)
        if attempt.offer.log:
            self._account(attempt, Outcome.WRONG)
        origin.refused(attempt.mechanism, attempt.user, ERROR if status == ERROR else FAIL)
        self._told()
        said = None if judged else await self._judged(attempt, status)
        seconds = attempt.began + limits.auth_failure_delay - services.clock.monotonic()
        if status == FAIL and seconds > 0.0:
            await Later(asyncio.sleep(seconds))
        if self.closing:
            return
        if said is not None:
            reply = said
        if self._failures >= limits.auth_failures_per_connection:
            self._leave(replies.TOO_MANY_FAILURES, _MAIL)
        elif reply.code == CLOSING or self._wants_off:
            self._leave(reply, _MAIL)
        else:
            self._answer(reply, _MAIL)

    async def _judged(self, attempt: Attempt, status: str) -> Reply | None:
        """Let policy see how it went, and return what it refuses it with."""
        return None

    @property
    def _wants_off(self) -> bool:
        """Whether policy wants to hang up."""
        return False

    def _told(self) -> None:
        """What is known of the client has changed."""

    def _account(self, attempt: Attempt, outcome: Outcome) -> None:
        origin = self.origin
        self._services.account(
            Login(origin.local, origin.source, attempt.user, attempt.mechanism, outcome)
        )


def takes(session: type[AuthenticatingSession]) -> Mapping[type, Callable[[Any, Any], None]]:
    """Return what a kind of session does with each kind of event."""
    return {**takes_plainly(session), Auth: session._auth, Response: session._response}


AuthenticatingSession.take = takes(AuthenticatingSession)


def names_of(certificate: Mapping[str, Any], which: str) -> Sequence[str]:
    """Return names of a certificate, as `ssl` tells it.

    Args:
        which: "email", "dns", or "cn".
    """
    if which == "cn":
        subject = [pair for part in certificate.get("subject", ()) for pair in part]
        found = [value for key, value in subject if key == "commonName"]
    else:
        found = [
            value for key, value in certificate.get("subjectAltName", ()) if key.lower() == which
        ]
    return [each for each in found if each and each.isprintable() and len(each) <= MAX_NAME]
