"""A signature field, read: DKIM-Signature, and ARC-Message-Signature which is nearly the same.

    signature = read(value, Policy())          raises SignatureError: the outcome and the reason

Everything that can be said of a signature without DNS and without the message is said here.
The rule: a `SignatureError` is the whole result of its signature, and changes nothing else.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from angarium.core.errors import Error
from angarium.mail.auth import tags
from angarium.mail.auth.canon import Canon
from angarium.mail.auth.digest import Want
from angarium.mail.auth.tags import TagError


class Outcome(StrEnum):
    """What comes out of a check, in the words of RFC 8601 section 2.7.1."""

    NONE = "none"
    PASS = "pass"
    FAIL = "fail"
    POLICY = "policy"
    NEUTRAL = "neutral"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class SignatureError(Error):
    """Why a signature does not hold."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Policy:
    """What is accepted of those who sign, beyond what the RFC wants of them."""

    sha1: bool = False  # RFC 8301 section 3.1: verifiers must not take rsa-sha1 any more
    rsa_bits: int = 1024  # the fewest; RFC 8301 section 3.2
    partial: bool = True  # whether a body may be longer than l= says
    signatures: int = 10  # so many are checked; each may cost a look into DNS
    field_size: int = 16_384  # octets of a signature field
    names: int = 256  # in h=
    skew_seconds: float = 300.0  # by which clocks may differ


@dataclass(slots=True)
class Signature:
    """What a signature says of itself."""

    domain: str
    selector: str
    kind: str  # rsa or ed25519
    hash: str  # sha1 or sha256
    header_canon: Canon
    body_canon: Canon
    names: list[bytes]  # h=, in lower case
    body_hash: bytes
    value: bytes  # b=
    identity: str  # i=, or what stands for it
    length: int | None  # l=
    made: int | None  # t=
    expires: int | None  # x=
    tags: dict[bytes, bytes] = field(repr=False)

    @property
    def algorithm(self) -> str:
        return f"{self.kind}-{self.hash}"

    @property
    def want(self) -> Want:
        """What it needs to know of the body."""
        return Want(self.body_canon, self.hash, self.length)

    @property
    def place(self) -> str:
        """Where its key is in DNS."""
        return f"{self.selector}._domainkey.{self.domain}"


_ALGORITHMS: Final = {
    b"rsa-sha256": ("rsa", "sha256"),
    b"rsa-sha1": ("rsa", "sha1"),
    b"ed25519-sha256": ("ed25519", "sha256"),
}
_CANONS: Final[dict[bytes, Canon]] = {b"simple": "simple", b"relaxed": "relaxed"}
# The value of b=, up to the next semicolon: it is as empty in what is signed (section 3.7).
_B: Final = re.compile(rb"((?:\A|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*")


def unsigned(value: bytes) -> bytes:
    """Return the value of a signature field without what b= has, the blanks around it included."""
    return _B.sub(rb"\1", value, count=1)


def read(value: bytes, policy: Policy) -> Signature:
    """Read the value of a DKIM-Signature. Raises SignatureError."""
    try:
        known = taken(value, policy)
        if tags.needed(known, b"v") != b"1":
            raise SignatureError(Outcome.NEUTRAL, "the version is unknown")
        signature = common(known, policy)
        if b"from" not in signature.names:
            raise SignatureError(Outcome.PERMERROR, "it does not cover the field From")
        _identity(signature, known)
    except TagError as fault:
        raise SignatureError(Outcome.NEUTRAL, fault.message) from None
    return signature


def taken(value: bytes, policy: Policy) -> dict[bytes, bytes]:
    """Return the tags of a signature field. Raises TagError, SignatureError."""
    if len(value) > policy.field_size:
        raise SignatureError(Outcome.POLICY, "the signature is too long")
    return tags.parsed(value)


def algorithm(known: dict[bytes, bytes], policy: Policy) -> tuple[str, str]:
    """Return the kind of key and the hash of a signature. Raises TagError, SignatureError."""
    found = _ALGORITHMS.get(tags.needed(known, b"a"))
    if found is None:
        raise SignatureError(Outcome.NEUTRAL, "the algorithm is unknown")
    if found[1] == "sha1" and not policy.sha1:
        raise SignatureError(Outcome.POLICY, "sha1 is not safe any more")
    return found


def common(known: dict[bytes, bytes], policy: Policy) -> Signature:
    """Return what the tags of DKIM and of ARC say alike. Raises TagError, SignatureError."""
    kind, name = algorithm(known, policy)
    canons = _canons(known.get(b"c", b"simple"))
    methods = tags.words(known.get(b"q", b"dns/txt"))
    if b"dns/txt" not in methods and b"dns" not in methods:
        raise SignatureError(Outcome.NEUTRAL, "the key is kept in no place known")
    if b"h" not in known:
        raise TagError("the tag h= is missing")
    names = tags.words(known[b"h"])
    if len(names) > policy.names:
        raise SignatureError(Outcome.POLICY, "too many fields are signed")
    domain = tags.name_of(tags.needed(known, b"d"), "d")
    made, expires = tags.number(known, b"t", 12), tags.number(known, b"x", 12)
    if made is not None and expires is not None and expires <= made:
        raise SignatureError(Outcome.NEUTRAL, "it expires before it was made")
    return Signature(
        domain,
        tags.name_of(tags.needed(known, b"s"), "s"),
        kind,
        name,
        canons[0],
        canons[1],
        names,
        tags.octets(tags.needed(known, b"bh"), "bh"),
        tags.octets(tags.needed(known, b"b"), "b"),
        f"@{domain}",
        tags.number(known, b"l", 76),
        made,
        expires,
        known,
    )


def _canons(value: bytes) -> tuple[Canon, Canon]:
    header, slash, body = value.partition(b"/")
    first = _CANONS.get(header.strip(tags.WSP))
    second = _CANONS.get(body.strip(tags.WSP)) if slash else "simple"
    if first is None or second is None:
        raise SignatureError(Outcome.NEUTRAL, "the canonicalization is unknown")
    return first, second


def _identity(signature: Signature, known: dict[bytes, bytes]) -> None:
    identity = known.get(b"i")
    if identity is None:
        return
    local, at, domain = tags.unquoted(identity).rpartition(b"@")
    if not at:
        raise TagError("the tag i= is no identity")
    name = tags.name_of(domain, "i")
    if name != signature.domain and not name.endswith("." + signature.domain):
        raise SignatureError(Outcome.PERMERROR, "the identity is of another domain")
    signature.identity = f"{local.decode('utf-8', 'replace')}@{name}"


def timely(signature: Signature, now: float, policy: Policy) -> None:
    """Raise SignatureError for a signature which has expired, or which will be made."""
    if signature.expires is not None and now > signature.expires + policy.skew_seconds:
        raise SignatureError(Outcome.POLICY, "it has expired")
    if signature.made is not None and signature.made > now + policy.skew_seconds:
        raise SignatureError(Outcome.POLICY, "it is of the future")
