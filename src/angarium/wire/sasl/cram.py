"""CRAM-MD5 (RFC 2195): the password is not sent, but whoever checks it has to have it in clear."""

import hmac
import re
from typing import Final

from angarium.wire.sasl.errors import MalformedError
from angarium.wire.sasl.exchange import (
    MAX_NAME,
    Asking,
    Challenge,
    Claim,
    Credentials,
    Serving,
    name,
    text,
)
from angarium.wire.sasl.names import CRAM_MD5
from angarium.wire.sasl.plain import known

_DIGEST: Final = re.compile(r"[0-9a-fA-F]{32}")


def proof(password: str, challenge: bytes) -> str:
    """Return what proves a password.

    >>> proof("tanstaaftanstaaf", b"<1896.697170952@postoffice.reston.mci.net>")
    'b913a602c7eda7a495b4e6e7334d3890'
    """
    return hmac.new(password.encode(), challenge, "md5").hexdigest()


def serve(initial: bytes | None, nonce: str, host: str) -> Serving:
    """The server's side; `nonce` is never used again."""
    if initial is not None:
        raise MalformedError("there is no initial response")
    asked = f"<{nonce}@{host}>".encode("ascii", "replace")
    said = text((yield Challenge(asked)), MAX_NAME + 33)
    user, blank, digest = said.rpartition(" ")
    if not blank or _DIGEST.fullmatch(digest) is None:
        raise MalformedError("not a name and a digest")
    given = digest.lower()

    def holds(password: str) -> bool:
        return hmac.compare_digest(proof(password, asked), given)

    claim = Claim(CRAM_MD5, name(user.encode()), "hmac_md5", given, asked.decode(), holds)
    return (yield from known(claim))


def ask(who: Credentials) -> Asking:
    """The client's side."""
    challenge = yield None
    if not challenge:
        raise MalformedError("there is no challenge")
    challenge = yield f"{who.user} {proof(who.password, challenge)}".encode()
    if challenge is not None:
        raise MalformedError("the server asks for more")
