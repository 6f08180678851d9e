"""What is kept for SCRAM in the place of a password (RFC 5802 section 3), and how it is written.

    SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>      in base64, as PostgreSQL writes it

Who steals it can neither log in with it here, nor elsewhere, but tries passwords at leisure.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Final, Self

from angarium.wire.sasl.prepare import prepared

HASH: Final = "sha256"
MIN_ITERATIONS: Final = 4096  # RFC 7677 section 4
MAX_ITERATIONS: Final = 1_000_000  # seconds of a processor
KEY: Final = 32  # octets
PREFIX: Final = "SCRAM-SHA-256$"
_WRITTEN: Final = re.compile(
    r"SCRAM-SHA-256\$([1-9][0-9]{0,6}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]{44}):([A-Za-z0-9+/=]{44})"
)


@dataclass(frozen=True, slots=True)
class ScramSecret:
    """What a server keeps of a user's password."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    @classmethod
    def of(cls, password: str, salt: bytes, iterations: int = MIN_ITERATIONS) -> Self:
        """Make it of a password: so many iterations of a hash. Raises MalformedError."""
        return cls(salt, iterations, *keys(salted(password, salt, iterations)))

    @classmethod
    def read(cls, written: str) -> Self | None:
        """Return what is written; None: it is none."""
        found = _WRITTEN.fullmatch(written)
        if found is None or int(found[1]) > MAX_ITERATIONS:
            return None
        try:
            salt, stored, server = (base64.b64decode(found[at], validate=True) for at in (2, 3, 4))
        except binascii.Error:
            return None
        return (
            cls(salt, int(found[1]), stored, server) if len(stored) == len(server) == 32 else None
        )

    def __str__(self) -> str:
        salt, stored, server = (
            base64.b64encode(each).decode()
            for each in (self.salt, self.stored_key, self.server_key)
        )
        return f"{PREFIX}{self.iterations}:{salt}${stored}:{server}"

    def knows(self, password: str) -> bool:
        """Say whether this is the password. Costs `iterations`. Raises MalformedError."""
        stored, _ = keys(salted(password, self.salt, self.iterations))
        return hmac.compare_digest(stored, self.stored_key)


def salted(password: str, salt: bytes, iterations: int) -> bytes:
    """Return SaltedPassword (RFC 5802 section 3)."""
    return hashlib.pbkdf2_hmac(HASH, prepared(password).encode(), salt, iterations)


def signed(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, HASH)


def keys(salted_password: bytes) -> tuple[bytes, bytes]:
    """Return StoredKey and ServerKey."""
    client_key = signed(salted_password, b"Client Key")
    return hashlib.new(HASH, client_key).digest(), signed(salted_password, b"Server Key")


def pretended(user: str, key: bytes) -> ScramSecret:
    """Return what a user who is not there would have: the same each time, and nobody's."""
    salt = signed(key, b"salt " + user.encode())[:16]
    return ScramSecret(
        salt,
        MIN_ITERATIONS,
        signed(key, b"stored " + user.encode()),
        signed(key, b"server " + user.encode()),
    )
