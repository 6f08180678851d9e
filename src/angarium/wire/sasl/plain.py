"""PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login): name and password as they are.

    PLAIN   [authzid] NUL authcid NUL passwd
    LOGIN   two challenges, for the name and for the password

LOGIN has an initial response too: some clients send the name with the command.
"""

from collections.abc import Generator
from typing import Any, Final

from angarium.wire.sasl.errors import MalformedError, RefusedError
from angarium.wire.sasl.exchange import (
    Asking,
    Challenge,
    Claim,
    Credentials,
    Identity,
    Question,
    Serving,
    itself,
    name,
    password,
    text,
)
from angarium.wire.sasl.names import LOGIN, PLAIN
from angarium.wire.sasl.prepare import prepared

# What clients have come to expect, to the letter.
USERNAME: Final = b"Username:"
PASSWORD: Final = b"Password:"


def serve_plain(initial: bytes | None) -> Serving:
    """PLAIN, the server's side."""
    said = initial if initial is not None else (yield Challenge(b""))
    parts = said.split(b"\0")
    if len(parts) != 3:
        raise MalformedError("not authzid, authcid and passwd")
    wanted, user = text(parts[0], 255), name(parts[1])
    itself(user, wanted)
    return (yield from known(Claim(PLAIN, user, "clear", password(parts[2]))))


def serve_login(initial: bytes | None) -> Serving:
    """LOGIN, the server's side."""
    user = name(initial or (yield Challenge(USERNAME)))
    given = password((yield Challenge(PASSWORD)))
    return (yield from known(Claim(LOGIN, user, "clear", given)))


def known(claim: Claim) -> Generator[Challenge | Question, Any, Identity]:
    """Ask whether a claim is true. Raises RefusedError if not."""
    user = yield claim
    if user is None:
        raise RefusedError("wrong user or password")
    return Identity(user)


def ask_plain(who: Credentials) -> Asking:
    """PLAIN, the client's side."""
    user, secret = prepared(who.user), prepared(who.password)
    challenge = yield b"\0" + user.encode() + b"\0" + secret.encode()
    if challenge is not None:
        raise RefusedError("the server asks for more")


def ask_login(who: Credentials) -> Asking:
    """LOGIN, the client's side. The words of the challenges are not looked at: they vary."""
    yield None
    yield who.user.encode()
    challenge = yield who.password.encode()
    if challenge is not None:
        raise RefusedError("the server asks for more")
