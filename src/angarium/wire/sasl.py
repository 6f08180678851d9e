"""DIGEST-MD5 (RFC 2831), both sides: who knows a password proves it, and does not send it.

    stored   MD5 of user:realm:password, in hexadecimal, as htdigest writes it
    response what the client computes of that, of the server's nonce and of its own
    proof    what the server computes in turn, so that the client knows whom it speaks to

MD5 keeps nobody from trying passwords at leisure who has heard one exchange: over a network use
TLS.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

QOP: Final = "auth"
COUNT: Final = "00000001"  # each nonce is used once
_CLIENT: Final = "AUTHENTICATE"
_SERVER: Final = ""


def _hex(text: bytes) -> str:
    return hashlib.md5(text, usedforsecurity=False).hexdigest()


def stored(user: str, realm: str, password: str) -> str:
    """Return what a password file has instead of the password."""
    return _hex(f"{user}:{realm}:{password}".encode())


@dataclass(frozen=True, slots=True)
class Exchange:
    """What both sides have said. `uri`: the service, such as console/127.0.0.1:2025."""

    nonce: str
    cnonce: str
    uri: str

    def response(self, secret: str) -> str:
        """Return the client's answer for a stored secret."""
        return self._computed(secret, _CLIENT)

    def proof(self, secret: str) -> str:
        """Return the server's answer for a stored secret."""
        return self._computed(secret, _SERVER)

    def _computed(self, secret: str, who: str) -> str:
        session = _hex(bytes.fromhex(secret) + f":{self.nonce}:{self.cnonce}".encode())
        what = _hex(f"{who}:{self.uri}".encode())
        words = (session, self.nonce, COUNT, self.cnonce, QOP, what)
        return _hex(":".join(words).encode())
