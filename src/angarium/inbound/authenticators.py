"""Who says whether a client is who it says: by the scheme of a uri.

    file:///path      user:password, in clear: all mechanisms
    digest:///path    user:realm:digest: PLAIN, LOGIN and DIGEST-MD5
    passwd:///path    user:hash (`data/hashes`): PLAIN, LOGIN, and SCRAM where it keeps that

Modules add schemes of theirs (`policy/module.Schemes`). An authenticator answers at once, or gives
something to wait for; what it cannot find out now is a TroubleError. It never says whether there is
such a user.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

from angarium.core.errors import Error
from angarium.data import hashes
from angarium.data.users import Users, UsersError
from angarium.inbound.errors import TroubleError
from angarium.policy.context import Session
from angarium.policy.hooks import Hook
from angarium.policy.verdict import CONT, Verdict
from angarium.wire.sasl import digest, hmac_md5
from angarium.wire.sasl.exchange import Claim, DigestWanted, ScramWanted
from angarium.wire.sasl.names import ALL, CRAM_MD5, DIGEST_MD5, LOGIN, PLAIN, SCRAM, TOKENS
from angarium.wire.sasl.secrets import ScramSecret, signed

T = TypeVar("T")
Found: TypeAlias = T | Awaitable[T | None] | None

ANONYMOUS: Final = "anonymous"  # as Momentum names who says nothing and is let in all the same
# The password itself is sent, or what is made of it alone.
PASSWORDS: Final = frozenset({PLAIN, LOGIN})
# Of these whoever checks it has to have what is kept.
KEPT: Final = frozenset({CRAM_MD5, DIGEST_MD5, SCRAM})


async def _asks_nobody(_hook: Hook) -> Verdict:
    return CONT


@dataclass(frozen=True, slots=True)
class Visit:
    """Of whom it is asked.

    Attributes:
        uri: as the option has it.
        address: of the client, as it is shown in logs.
        host: its IP address alone.
        secure: it speaks TLS.
        realm: of the listener.
        cleartext: what is kept for DIGEST-MD5 is no digest (stored_cleartext).
        key: a secret of this node, of which salts are made.
        session: what policy knows; None where there is no policy.
        ask: asks policy by a hook.
    """

    uri: str = ""
    address: str = ""
    host: str = ""
    secure: bool = False
    realm: str = ""
    cleartext: bool = False
    key: bytes = field(default=b"", repr=False)
    session: Session | None = None
    ask: Callable[[Hook], Awaitable[Verdict]] = _asks_nobody

    @property
    def path(self) -> str:
        """What comes after the scheme."""
        return self.uri.partition("://")[2]


class Authenticator:
    """What is asked; of what it does not override it knows nothing.

    Attributes:
        mechanisms: those it can be asked for.
    """

    mechanisms: Collection[str] = PASSWORDS

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        """Return the name of the user if the claim is true, else None. Raises TroubleError."""
        return None

    def digest(self, wanted: DigestWanted, visit: Visit) -> Found[str]:
        """Return what `wire/sasl/digest.stored` makes of a password. Raises TroubleError."""
        return None

    def scram(self, wanted: ScramWanted, visit: Visit) -> Found[ScramSecret]:
        """Return what SCRAM keeps of a password. Raises TroubleError."""
        return None


def unscrambled(claim: Claim, kept: str | None, kind: str, realm: str = "") -> Found[str]:
    """Return the user if a claim is true of what is kept, else None."""
    if kept is None:
        # The same work as for who is there; the delay of failures hides the rest.
        hashes.matches(hashes.CLEAR, "", claim.password)
        return None
    if claim.crypt == "hmac_md5":
        return claim.user if _holds(claim, kept, kind) else None
    if not hashes.is_slow(kind, kept):
        known = hashes.matches(kind, kept, claim.password, claim.user, realm)
        return claim.user if known else None
    return _slowly(claim, kept, kind)


def _holds(claim: Claim, kept: str, kind: str) -> bool:
    if kind == hashes.CLEAR:
        return claim.holds(kept)
    if kind == hashes.HMAC_MD5 or kept.upper().startswith("{CRAM-MD5}"):
        proof = hmac_md5.proof(kept.rpartition("}")[2].strip(), claim.nonce.encode())
        return hashes.same(proof, claim.password)
    return False


async def _slowly(claim: Claim, kept: str, kind: str) -> str | None:
    known = await asyncio.to_thread(hashes.matches, kind, kept, claim.password, claim.user)
    return claim.user if known else None


def scram_of(kept: str | None, kind: str, user: str, key: bytes) -> Found[ScramSecret]:
    """Return what SCRAM keeps of what is kept, where it can be made of it.

    Of a password in clear it is made with a salt that is the same each time.
    """
    if kept is None:
        return None
    found = ScramSecret.read(kept.removeprefix("{SCRAM-SHA-256}").strip())
    if found is not None or kind != hashes.CLEAR:
        return found
    salt = signed(key, b"salt " + user.encode())[:16]
    return asyncio.to_thread(ScramSecret.of, kept, salt)


class ClearFiles(Authenticator):
    """file://"""

    mechanisms = PASSWORDS | KEPT

    def __init__(self) -> None:
        self._users = Users()

    def _password(self, user: str, visit: Visit) -> str | None:
        try:
            return self._users.password(visit.path, user)
        except UsersError as error:
            raise trouble(error) from error

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        return unscrambled(claim, self._password(claim.user, visit), hashes.CLEAR)

    def digest(self, wanted: DigestWanted, visit: Visit) -> Found[str]:
        kept = self._password(wanted.user, visit)
        return None if kept is None else digest.stored(wanted.user, wanted.realm, kept)

    def scram(self, wanted: ScramWanted, visit: Visit) -> Found[ScramSecret]:
        kept = self._password(wanted.user, visit)
        return scram_of(kept, hashes.CLEAR, wanted.user, visit.key)


class DigestFiles(Authenticator):
    """digest://"""

    mechanisms = PASSWORDS | {DIGEST_MD5}

    def __init__(self) -> None:
        self._users = Users()

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        kept = self._digest(claim.user, visit.realm, visit)
        return unscrambled(claim, kept, hashes.DIGEST, visit.realm)

    def digest(self, wanted: DigestWanted, visit: Visit) -> Found[str]:
        return self._digest(wanted.user, wanted.realm, visit)

    def _digest(self, user: str, realm: str, visit: Visit) -> str | None:
        try:
            return self._users.digest(visit.path, user, realm)
        except UsersError as error:
            raise trouble(error) from error


class HashFiles(Authenticator):
    """passwd://"""

    mechanisms = PASSWORDS | {SCRAM}

    def __init__(self) -> None:
        self._users = Users()

    def _hash(self, user: str, visit: Visit) -> str | None:
        try:
            return self._users.hashed(visit.path, user)
        except UsersError as error:
            raise trouble(error) from error

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        return unscrambled(claim, self._hash(claim.user, visit), hashes.RFC2307)

    def scram(self, wanted: ScramWanted, visit: Visit) -> Found[ScramSecret]:
        return scram_of(self._hash(wanted.user, visit), hashes.RFC2307, wanted.user, visit.key)


class Everybody(Authenticator):
    """always_allow: whatever is said is right."""

    mechanisms = PASSWORDS | TOKENS | {CRAM_MD5}

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        return claim.user or ANONYMOUS


class Nobody(Authenticator):
    """always_deny: whatever is said is wrong."""

    mechanisms = ALL


def trouble(error: Error) -> TroubleError:
    """Return what is told of an error by which nobody can be known."""
    return TroubleError(error.message, **error.fields)


def built_in() -> Mapping[str, Authenticator]:
    """Return the schemes which are there without a module."""
    return {"file": ClearFiles(), "digest": DigestFiles(), "passwd": HashFiles()}
