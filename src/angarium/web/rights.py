"""Who may ask a listener of HTTP that does not answer everybody.

    by certificate   TLS has verified the client's, and tls_verified_peer_is_authorized says that
                     this is enough
    by password      HTTP Basic (RFC 7617), where authplainparameters names a file of users

The rule: a password is looked at only where nobody can have heard it, and not for who has tried
too many.
"""

import asyncio
import base64
import binascii
import ipaddress
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from angarium.console.attempts import Attempts
from angarium.data import hashes
from angarium.data.users import Users, UsersError

# How a password is kept, by the scheme of the uri.
KINDS: Final = {
    "file": hashes.CLEAR, "digest": hashes.DIGEST, "passwd": hashes.RFC2307,
}  # fmt: skip
CUSTOMER: Final = 64  # bits of an address of IPv6; the others are his to choose
MOST_FIELD: Final = 4096  # octets of what is said of who it is

Fields = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to who may not ask."""

    status: int
    text: str
    fields: Fields = ()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks.

    Attributes:
        address: "" by a Unix socket.
        verified: TLS has verified his certificate.
        private: what he says is heard by nobody else: by TLS, or on this machine.
    """

    address: str
    verified: bool = False
    private: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """Those of a listener.

    Attributes:
        uri: where users are, "" where there are no passwords.
        realm: what a browser shows, and what digests were made with.
        certificate: who shows one which was verified need not say more.
        attempts: failed ones of late, of all listeners.
        tell: told that a file of users cannot be read.
        users: files which were read.
        nobody: whatever is said is wrong (always_deny).
    """

    uri: str
    realm: str
    certificate: bool
    attempts: Attempts
    tell: Callable[[str], None]
    users: Users = field(default_factory=Users)
    nobody: bool = False

    async def refusal(
        self, visitor: Visitor, fields: Iterable[tuple[bytes, bytes]]
    ) -> Refusal | None:
        """Return what he is answered, None if he may ask."""
        if self.certificate and visitor.verified and not self.nobody:
            return None
        said = [value for name, value in fields if name == b"authorization"]
        if reason := self._unasked(visitor):
            return Refusal(403, reason)
        if not said:
            return self._ask("who are you?")
        whence = _network(visitor.address)
        if wait := self.attempts.wait(whence):
            after = ((b"retry-after", str(math.ceil(wait)).encode()),)
            return Refusal(429, "too many wrong passwords; wait", after)
        user, password = _pair(said[0]) if len(said) == 1 else ("", "")
        # Until it is known whether the password is wrong, it is: many may be asked for at once.
        self.attempts.failed(whence)
        try:
            known = bool(user) and await self._knows(user, password)
        except UsersError as error:
            self.tell(str(error))
            return Refusal(503, "who may ask cannot be found out now")
        if known:
            self.attempts.succeeded(whence)
            return None
        return self._ask("wrong user or password")

    def _unasked(self, visitor: Visitor) -> str:
        """Return why a password would not help; "" if it would."""
        if self.nobody:
            return "nobody may ask here"
        if not self.uri:
            return "who asks here shows a certificate we know"
        return "" if visitor.private else "passwords are for connections by TLS"

    def _ask(self, text: str) -> Refusal:
        realm = self.realm.replace("\\", "").replace('"', "")
        asked = f'Basic realm="{realm}", charset="UTF-8"'.encode("utf-8", "surrogateescape")
        return Refusal(401, text, ((b"www-authenticate", asked),))

    async def _knows(self, user: str, password: str) -> bool:
        scheme, _, path = self.uri.partition("://")
        kind = KINDS[scheme]
        if kind == hashes.DIGEST:
            kept = self.users.digest(path, user, self.realm)
        elif kind == hashes.CLEAR:
            kept = self.users.password(path, user)
        else:
            kept = self.users.hashed(path, user)
        if kept is None:
            return False
        if hashes.is_slow(kind, kept):
            return await asyncio.to_thread(hashes.matches, kind, kept, password, user, self.realm)
        return hashes.matches(kind, kept, password, user, self.realm)


def _network(address: str) -> str:
    """Return who tries passwords: an address, or of IPv6 the network of one customer."""
    if ":" not in address:
        return address
    whence = ipaddress.IPv6Address(address.partition("%")[0])
    return str(ipaddress.IPv6Network((whence, CUSTOMER), strict=False))


def _pair(said: bytes) -> tuple[str, str]:
    """Return user and password of a field Authorization, empty ones where it says nothing."""
    scheme, _, coded = said.strip().partition(b" ")
    if scheme.lower() != b"basic" or len(coded) > MOST_FIELD:
        return "", ""
    try:
        text = base64.b64decode(coded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    user, colon, password = text.partition(":")
    return (user, password) if colon else ("", "")
