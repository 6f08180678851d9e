"""XOAUTH2 (Google's) and OAUTHBEARER (RFC 7628): a token of somebody else says who it is.

    XOAUTH2       user=USER ^A auth=Bearer TOKEN ^A ^A
    OAUTHBEARER   n,a=USER, ^A host=... ^A port=... ^A auth=Bearer TOKEN ^A ^A

A token that is refused is told of in JSON; the client says something to that, and it is over.
"""

import re
from typing import Final

from angarium.wire.sasl import exchange
from angarium.wire.sasl.errors import MalformedError, RefusedError
from angarium.wire.sasl.exchange import (
    MAX_TOKEN,
    Asking,
    Challenge,
    Claim,
    Credentials,
    Identity,
    Serving,
)
from angarium.wire.sasl.names import OAUTHBEARER, XOAUTH2

_MAX: Final = MAX_TOKEN + 1024
_TOKEN: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)")  # RFC 6750
_HEADER: Final = re.compile(r"[ny],(?:a=((?:[^,=]|=2C|=3D)*))?,")
_REFUSED: Final = {
    XOAUTH2: b'{"status":"401","schemes":"bearer","scope":"mail"}',
    OAUTHBEARER: b'{"status":"invalid_token"}',
}


def serve(initial: bytes | None, mechanism: str) -> Serving:
    """The server's side of either."""
    said = exchange.text(initial if initial is not None else (yield Challenge(b"")), _MAX)
    header, *pairs = said.split("\x01")
    if pairs[-2:] != ["", ""]:
        raise MalformedError("it does not end as it should")
    if mechanism == XOAUTH2:
        pairs.insert(0, header)
        found = _values(pairs)
        user = found.get("user", "")
    else:
        found = _values(pairs)
        matched = _HEADER.fullmatch(header)
        if matched is None:
            raise MalformedError("not a header of GS2")
        user = (matched[1] or "").replace("=2C", ",").replace("=3D", "=")
    token = _TOKEN.fullmatch(found.get("auth", ""))
    if token is None or len(token[1]) > MAX_TOKEN:
        raise MalformedError("no token")
    if user or mechanism == XOAUTH2:
        user = exchange.name(user.encode())
    known = yield Claim(mechanism, user, "token", token[1])
    if known is None:
        yield Challenge(_REFUSED[mechanism])
        raise RefusedError("the token is not taken")
    return Identity(known)


def _values(pairs: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        if not pair:
            continue
        key, sign, value = pair.partition("=")
        if not sign or key in found:
            raise MalformedError("not a name and a value")
        found[key] = value
    return found


def ask(who: Credentials, mechanism: str) -> Asking:
    """The client's side of either; the token is the password."""
    token = who.password
    if _TOKEN.fullmatch(f"Bearer {token}") is None or "\x01" in who.user:
        raise MalformedError("this is no token")
    if mechanism == XOAUTH2:
        said = f"user={who.user}\x01auth=Bearer {token}\x01\x01"
    else:
        user = who.user.replace("=", "=3D").replace(",", "=2C")
        place = f"host={who.host}\x01port={who.port}\x01" if who.host else ""
        said = f"n,a={user},\x01{place}auth=Bearer {token}\x01\x01"
    challenge = yield said.encode()
    if challenge is not None:
        # What is wrong with the token; the server waits for a word before it says no.
        yield b"" if mechanism == XOAUTH2 else b"\x01"
        raise RefusedError("the token is not taken")
