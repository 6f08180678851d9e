"""What a client says of itself between EHLO and MAIL: for whom it speaks, and who it is.

    XCLIENT (Postfix's XCLIENT_README)     which client brought the mail; the session begins anew
    AUTH (RFC 4954)                        who we are, by a mechanism of SASL

    introduction = Introduction(Claim(...), Login(...))
    command, asked = introduction.begin(hello, peer, secure=True)
    introduction.answered(reply)           what is said next; None: it is over, see `outcome`

XCLIENT comes first, for with it the session forgets who has logged in. Rule: a reply of the host is
never permanent here. What it refuses is our name, and no mail may fail for good for that.
"""

import base64
import binascii
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Final

from angarium.core.reply import Reply
from angarium.wire.sasl.errors import OtherwiseError, SaslError
from angarium.wire.sasl.exchange import Client, Credentials
from angarium.wire.sasl.mechanisms import chosen, client
from angarium.wire.sasl.names import ALL, CLEAR, SCRAM, SCRAM_PLUS
from angarium.wire.smtp_asked import Asked
from angarium.wire.smtp_transaction import Extensions, Stage, offered

ANY: Final = "ANY"  # in the place of a mechanism: the best one there is
# Words of Momentum's; it has none for AUTH.
NOT_OFFERED: Final = Reply(451, "[internal] XCLIENT required but not advertised", "4.7.6")
NO_AUTH: Final = Reply(451, "[internal] AUTH wanted but not advertised", "4.7.6")
IN_CLEAR: Final = Reply(451, "[internal] no AUTH in clear, the host has no TLS", "4.7.11")
UNFIT: Final = Reply(451, "[internal] name or password is not fit for this mechanism", "4.7.8")
UNBOUND: Final = Reply(451, "[internal] AUTH by this mechanism needs TLS to bind it to", "4.7.8")
OTHERWISE: Final = Reply(
    451, "[internal] AUTH failed: the host binds it to TLS in a way we cannot", "4.7.8"
)
UNPROVED: Final = Reply(451, "[internal] AUTH failed: the host has not proved who it is", "4.7.8")
_CANCEL: Final = b"*\r\n"
_RESPONSES: Final = 8  # in one exchange; none of the mechanisms has more than three

Command = tuple[bytes, Asked]


@dataclass(frozen=True, slots=True)
class Claim:
    """For whom we speak. `attributes`: names of XCLIENT, and their values in xtext."""

    attributes: Mapping[str, str]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are.

    Attributes:
        mechanism: one of `sasl.names.ALL`, or ANY.
        password: or the token.
        nonce: used once, if ever.
        in_clear: mechanisms which send the password may be used without TLS.
        binding: of the TLS, for mechanisms which are bound to it; empty: it cannot be bound to.
    """

    mechanism: str
    user: str
    password: str = field(repr=False)
    nonce: str = field(default="", repr=False, compare=False)
    in_clear: bool = False
    binding: tuple[tuple[str, bytes], ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went.

    Attributes:
        peer: what the host offers now.
        failure: why no mail may be sent; None: it may.
        claimed: the host has taken the claim.
        gone: the session cannot go on.
    """

    peer: Extensions
    failure: Reply | None = None
    stage: Stage = Stage.EHLO
    claimed: bool = False
    gone: bool = False


Talk = Generator[Command, Reply, Outcome]


class Introduction:
    """One, of one session."""

    __slots__ = ("_claim", "_login", "_talk", "outcome")

    def __init__(self, claim: Claim | None, login: Login | None) -> None:
        self.outcome: Outcome | None = None
        self._claim = claim
        self._login = login
        self._talk: Talk

    def begin(self, hello: bytes, peer: Extensions, *, secure: bool) -> Command | None:
        """Return what is said first; None: it is over already.

        Args:
            hello: what the session greeted with, and its line end.
        """
        self._talk = _talk(hello, peer, self._claim, self._login, secure=secure)
        return self._next(None)

    def answered(self, reply: Reply) -> Command | None:
        """Return what is said next; None: it is over."""
        return self._next(reply)

    def _next(self, reply: Reply | None) -> Command | None:
        try:
            return next(self._talk) if reply is None else self._talk.send(reply)
        except StopIteration as over:
            self.outcome = over.value
            return None


def _talk(
    hello: bytes, peer: Extensions, claim: Claim | None, login: Login | None, *, secure: bool
) -> Talk:
    claimed = False
    if claim is not None:
        told = yield from _claimed(hello, peer, claim)
        if told.failure is not None:
            return told
        peer, claimed = told.peer, told.claimed
    failure = None
    if login is not None:
        failure = yield from _logged_in(peer, login, secure=secure)
    return Outcome(peer, failure, claimed=claimed)


def _claimed(hello: bytes, peer: Extensions, claim: Claim) -> Talk:
    known = {name: value for name, value in claim.attributes.items() if name in peer.attributes}
    if "ADDR" not in known:
        return Outcome(peer, NOT_OFFERED if claim.required else None)
    words = " ".join(f"{name}={value}" for name, value in known.items())
    reply = yield f"XCLIENT {words}\r\n".encode("ascii", "replace"), Asked.XCLIENT
    if not reply.positive:
        failure = soft(reply, "XCLIENT") if claim.required else None
        return Outcome(peer, failure, Stage.XCLIENT)
    reply = yield hello, Asked.EHLO
    if not reply.positive:
        return Outcome(peer, soft(reply, "EHLO after XCLIENT"), Stage.EHLO, gone=True)
    return Outcome(offered(reply), claimed=True)


def _logged_in(
    peer: Extensions, login: Login, *, secure: bool
) -> Generator[Command, Reply, Reply | None]:
    """Return why it failed; None: we are who we say."""
    wanted = _wanted(login.mechanism)
    may = secure or login.in_clear
    mechanism = chosen(
        peer.mechanisms, wanted, secure=may, bound=bool(login.binding), token=_has_token(login)
    )
    if mechanism is None:
        if login.mechanism == SCRAM_PLUS and SCRAM_PLUS in peer.mechanisms:
            return UNBOUND
        usable = [each for each in peer.mechanisms if each in wanted]
        return IN_CLEAR if usable and not may and CLEAR.issuperset(usable) else NO_AUTH
    who = Credentials(login.user, login.password, binding=login.binding)
    return (yield from _exchanged(client(mechanism, who, login.nonce)))


def _wanted(mechanism: str) -> tuple[str, ...]:
    """Return what may be used. Where it can be bound to the channel it is: see `sasl/scram`."""
    if mechanism == ANY:
        return ALL
    return (SCRAM_PLUS, SCRAM) if mechanism == SCRAM else (mechanism,)


def _has_token(login: Login) -> bool:
    return login.mechanism in ("XOAUTH2", "OAUTHBEARER")


def _exchanged(exchange: Client) -> Generator[Command, Reply, Reply | None]:
    try:
        initial = exchange.initial()
    except SaslError:
        return UNFIT
    said = "" if initial is None else f" {_in_base64(initial) or '='}"
    reply = yield f"AUTH {exchange.name}{said}\r\n".encode(), Asked.AUTH
    for _ in range(_RESPONSES):
        if reply.code != 334:
            break
        try:
            response = exchange.respond(base64.b64decode(reply.text.strip(), validate=True))
        except OtherwiseError:
            yield _CANCEL, Asked.AUTH
            return OTHERWISE
        except (SaslError, binascii.Error, ValueError):
            yield _CANCEL, Asked.AUTH
            return UNPROVED
        reply = yield f"{_in_base64(response)}\r\n".encode(), Asked.AUTH
    if not reply.positive:
        # Who binds otherwise may just say no: outbound_smtp_auth_unbound is for those.
        return soft(reply, f"AUTH {SCRAM_PLUS}" if exchange.name == SCRAM_PLUS else "AUTH")
    try:
        exchange.finish()
    except SaslError:
        return UNPROVED
    return None


def soft(reply: Reply, what: str) -> Reply:
    """Return a refusal as a temporary one."""
    if reply.temporary:
        return reply
    return Reply(451, f"[internal] host refused {what}: {reply}", "4.7.0")


def _in_base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
