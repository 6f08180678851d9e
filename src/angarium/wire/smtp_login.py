"""A session of SMTP which only says who somebody is: EHLO, perhaps STARTTLS, AUTH; without I/O.

    session = speaking("mx.example", who, nonce, tls=IF_AVAILABLE, token=False)
    step = next(session)         Send: send it, and send in the reply that comes
    step = session.send(reply)   Secure: begin TLS, and send in None; Done is returned at the end

For who asks another server whether it knows a user.
"""

import base64
import binascii
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final

from angarium.core.reply import Reply
from angarium.wire.sasl.errors import SaslError
from angarium.wire.sasl.exchange import Client, Credentials
from angarium.wire.sasl.mechanisms import chosen, client
from angarium.wire.sasl.names import ALL

NO, IF_AVAILABLE, VERIFY = "no", "ifavailable", "verify"
_CANCEL: Final = b"*\r\n"


@dataclass(frozen=True, slots=True)
class Send:
    """Send this, and read one reply."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Secure:
    """Begin TLS, and go on when it is there."""


@dataclass(frozen=True, slots=True)
class Done:
    """It is over. `known`: whether the server knows the user; None: it has not said."""

    known: bool | None
    reply: Reply


Speaking = Generator[Send | Secure, Reply | None, Done]


def speaking(name: str, who: Credentials, nonce: str, *, tls: str, token: bool) -> Speaking:
    """Return the session; the first thing it sends is nothing, for the banner comes by itself.

    Args:
        name: what we call ourselves.
        tls: one of NO, IF_AVAILABLE, VERIFY; with NO the password goes in clear.
        token: what we have is a token.
    """
    banner = yield Send(b"")
    assert banner is not None
    if not banner.positive:
        return Done(None, banner)
    hello = f"EHLO {name}\r\n".encode("ascii", "replace")
    reply = yield Send(hello)
    assert reply is not None
    words = offered(reply)
    secure = False
    if tls != NO and "STARTTLS" in words:
        reply = yield Send(b"STARTTLS\r\n")
        assert reply is not None
        if reply.positive:
            yield Secure()
            secure = True
            reply = yield Send(hello)
            assert reply is not None
            words = offered(reply)
    if tls == VERIFY and not secure:
        return Done(None, reply)
    mechanism = chosen(words.get("AUTH", "").split(), ALL, secure=secure or tls == NO, token=token)
    if not reply.positive or mechanism is None:
        return Done(None, reply)
    return (yield from _authenticated(client(mechanism, who, nonce)))


def _authenticated(exchange: Client) -> Speaking:
    try:
        initial = exchange.initial()
    except SaslError:
        return Done(False, Reply(535, "not a name or password for this mechanism", "5.7.8"))
    said = "" if initial is None else f" {in_base64(initial) or '='}"
    reply = yield Send(f"AUTH {exchange.name}{said}\r\n".encode())
    assert reply is not None
    while reply.code == 334:
        try:
            response = exchange.respond(base64.b64decode(reply.text.strip(), validate=True))
        except (SaslError, binascii.Error, ValueError):
            reply = yield Send(_CANCEL)
            assert reply is not None
            return Done(None, reply)
        reply = yield Send(f"{in_base64(response)}\r\n".encode())
        assert reply is not None
    if reply.code != 235:
        return Done(None if reply.temporary else False, reply)
    try:
        exchange.finish()
    except SaslError:
        return Done(None, reply)
    return Done(True, reply)


def offered(reply: Reply) -> dict[str, str]:
    """Return the words of an answer to EHLO, and what follows each."""
    found: dict[str, str] = {}
    for line in reply.text.split("\n")[1:]:
        word, _, rest = line.strip().replace("=", " ", 1).partition(" ")
        found[word.upper()] = f"{found.get(word.upper(), '')} {rest}".strip()
    return found


def in_base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
