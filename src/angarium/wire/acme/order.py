"""The way from names to a certificate (RFC 8555 section 7.4), as questions and answers.

    steps = ordering(wish)
    step = next(steps)                  Look, Ask, Show or Rest: to be done
    step = steps.send(reply)            the answer to Look and Ask; None to the others
                                        StopIteration has the chain, in PEM

Who drives it signs what is asked, and sends it (`net/acme/client`). The rule: every loop here waits
by `Rest` and ends after `wish.patience` seconds of that, so whatever an authority answers, there is
an end.
"""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

from angarium.wire.acme import jose
from angarium.wire.acme.documents import (
    MOST_CHAIN,
    Authorization,
    Challenge,
    Directory,
    Order,
    check_url,
    problem,
    read,
    shown,
)
from angarium.wire.acme.errors import AcmeError

LOOK_SECONDS: Final = 1.0  # between two looks whether something is done; doubled each time
MOST_LOOK_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 300.0  # for an authority to look at us, and again to sign
_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted, and by whom.

    Attributes:
        directory: the URL of the authority's.
        key: of the account.
        names: for which the certificate is; in lower case.
        request: asks for it, in DER (RFC 2986).
        contact: URLs, such as mailto:.
        external: name and secret of an account which was had before.
        patience: seconds for each thing that is waited for.
    """

    directory: str
    key: jose.Key = field(repr=False)
    names: tuple[str, ...] = ()
    request: bytes = b""
    contact: tuple[str, ...] = ()
    external: tuple[str, bytes] | None = field(default=None, repr=False)
    patience: float = PATIENCE_SECONDS


@dataclass(frozen=True, slots=True)
class Look:
    """Get a document by GET; only the directory is had so."""

    url: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a signed request.

    Attributes:
        payload: empty: POST-as-GET.
        account: who asks; empty: whose key it is.
        nonces: where there are new ones.
    """

    url: str
    payload: bytes
    account: str
    nonces: str


@dataclass(frozen=True, slots=True)
class Show:
    """Let the authority find this text by its token, from now on."""

    token: str
    text: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        location: of what was made.
        wait: seconds, of Retry-After; 0: it was not there.
    """

    status: int
    body: bytes = b""
    location: str = ""
    wait: float = 0.0


Step: TypeAlias = Look | Ask | Show | Rest
Steps: TypeAlias = Generator[Step, Reply | None, T]


def ordering(wish: Wish) -> Steps[bytes]:
    """Ask for a certificate. Raises AcmeError."""
    directory = read(Directory, (yield from _answered(Look(wish.directory))).body)
    account = yield from _account(wish, directory)
    asking = _Asking(account, directory.new_nonce)
    names = [{"type": "dns", "value": each} for each in wish.names]
    reply = yield from asking.ask(directory.new_order, {"identifiers": names})
    place, order = _url(reply, "an order"), read(Order, reply.body)
    if order.status == "pending":
        yield from _prove(wish, asking, order)
        order = read(Order, (yield from asking.ask(place)).body)
    order = yield from _until(wish, asking, place, order, ("ready", "valid"))
    if order.status == "ready":
        order = yield from _finalize(wish, asking, place, order)
    if not order.certificate:
        raise AcmeError("the order is valid and has no certificate")
    return _chain((yield from asking.ask(order.certificate)).body)


@dataclass(frozen=True, slots=True)
class _Asking:
    """An account, and where it gets nonces."""

    account: str
    nonces: str

    def ask(self, url: str, payload: Mapping[str, Any] | None = None) -> Steps[Reply]:
        body = b"" if payload is None else json.dumps(payload).encode()
        return _answered(Ask(url, body, self.account, self.nonces))


def _answered(step: Look | Ask) -> Steps[Reply]:
    reply = yield step
    assert reply is not None
    if reply.status not in (200, 201):
        found = problem(reply.body)
        text = f"the authority answers {reply.status}: {found}"
        raise AcmeError(text, found.kind, reply.wait, url=step.url)
    return reply


def _url(reply: Reply, what: str) -> str:
    if not reply.location:
        raise AcmeError(f"the authority does not say where {what} is")
    try:
        check_url(reply.location)
    except ValueError as error:
        raise AcmeError(f"the authority does not say where {what} is: {error}") from None
    return reply.location


def _account(wish: Wish, directory: Directory) -> Steps[str]:
    """Make the account, or find the one which this key has; return its URL (section 7.3)."""
    payload: dict[str, Any] = {"termsOfServiceAgreed": True}
    if wish.contact:
        payload["contact"] = list(wish.contact)
    if wish.external is not None:
        name, secret = wish.external
        payload["externalAccountBinding"] = jose.bound(
            wish.key, url=directory.new_account, name=name, secret=secret
        )
    elif directory.meta.external_account_required:
        raise AcmeError("the authority asks for an external account", "externalAccountRequired")
    body = json.dumps(payload).encode()
    reply = yield from _answered(Ask(directory.new_account, body, "", directory.new_nonce))
    account = _url(reply, "the account")
    if reply.status == 200 and wish.contact:  # It was there, maybe with another contact.
        yield from _Asking(account, directory.new_nonce).ask(
            account, {"contact": list(wish.contact)}
        )
    return account


def _prove(wish: Wish, asking: _Asking, order: Order) -> Steps[None]:
    """Prove that the names are ours: first all are begun, then all are waited for."""
    if len(order.authorizations) > len(wish.names):
        raise AcmeError("the authority wants more names to be proved than were asked for")
    open_: list[str] = []
    for place in order.authorizations:
        found = read(Authorization, (yield from asking.ask(place)).body)
        name = found.identifier.value.lower()
        if found.identifier.type != "dns" or name not in wish.names or found.wildcard:
            raise AcmeError(f"the authority asks about {shown(name)}, which nobody asked for")
        if found.status == "valid":
            continue
        challenge = _challenge(found)
        yield Show(challenge.token, jose.key_authorization(challenge.token, wish.key))
        if challenge.status in ("", "pending"):
            yield from asking.ask(challenge.url, {})
        open_.append(place)
    for place in open_:
        yield from _proved(wish, asking, place)


def _challenge(found: Authorization) -> Challenge:
    challenge = found.challenge
    if found.status != "pending" or challenge is None or challenge.status == "invalid":
        raise _failed(found)
    return challenge


def _failed(found: Authorization) -> AcmeError:
    name = shown(found.identifier.value)
    challenge = found.challenge
    if challenge is None:
        return AcmeError(f"the authority has no challenge by HTTP for {name}")
    if challenge.error is not None:
        return AcmeError(f"{name} is not proved: {challenge.error}", challenge.error.kind)
    return AcmeError(f"{name} is not proved: its authorization is {shown(found.status)}")


def _proved(wish: Wish, asking: _Asking, place: str) -> Steps[None]:
    """Wait until the authority has looked."""
    patience = _Patience(wish.patience)
    while True:
        reply = yield from asking.ask(place)
        found = read(Authorization, reply.body)
        if found.status == "valid":
            return
        if found.status != "pending":
            raise _failed(found)
        yield patience.rest(reply.wait, f"it has not looked at {shown(found.identifier.value)}")


def _finalize(wish: Wish, asking: _Asking, place: str, order: Order) -> Steps[Order]:
    """Let it sign."""
    request = {"csr": jose.encoded(wish.request)}
    try:
        order = read(Order, (yield from asking.ask(order.finalize, request)).body)
    except AcmeError as error:
        if error.kind != "orderNotReady":
            raise
        # It has had the request before, and its answer was lost: look how far it is.
        order = read(Order, (yield from asking.ask(place)).body)
        if order.status == "ready":
            raise
    return (yield from _until(wish, asking, place, order, ("valid",)))


def _until(
    wish: Wish, asking: _Asking, place: str, order: Order, wanted: tuple[str, ...]
) -> Steps[Order]:
    """Wait until an order is as far as this."""
    patience, wait = _Patience(wish.patience), 0.0
    while order.status not in wanted:
        if order.status == "invalid" or order.status not in ("pending", "ready", "processing"):
            reason = order.error or f"its status is {shown(order.status)}"
            kind = order.error.kind if order.error else ""
            raise AcmeError(f"the order has failed: {reason}", kind)
        yield patience.rest(wait, f"the order is {order.status}")
        reply = yield from asking.ask(place)
        order, wait = read(Order, reply.body), reply.wait
    return order


class _Patience:
    """How long something is waited for."""

    __slots__ = ("_left", "_next")

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._next = LOOK_SECONDS

    def rest(self, wait: float, about: str) -> Rest:
        """Return the next rest, as long as the authority wants it. Raises AcmeError at the end."""
        seconds = min(max(wait, self._next), MOST_LOOK_SECONDS)
        self._next = min(self._next * 2, MOST_LOOK_SECONDS)
        if self._left <= 0.0:
            raise AcmeError(f"the authority takes too long: {about}")
        self._left -= seconds
        return Rest(seconds)


def _chain(body: bytes) -> bytes:
    """Return a chain of certificates, in PEM, as it came (section 9.1)."""
    if len(body) > MOST_CHAIN:
        raise AcmeError(f"a chain of more than {MOST_CHAIN} octets")
    if not body.lstrip().startswith(_BEGIN):
        raise AcmeError("the authority sends no certificate in PEM")
    return body
