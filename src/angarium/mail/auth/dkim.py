"""DKIM signatures of a message, checked: RFC 6376 section 6, RFC 8301, RFC 8463.

    fields = Fields(header)
    for verdict in await verify(fields, body_pieces, ask, now):
        verdict.outcome, verdict.reason, verdict.domain

In steps, where the body is read elsewhere:

    found = signatures(fields, policy)                 what is there; nothing is asked
    hashes = hashed(wants(found), body_pieces)
    verdicts = [await judged(each, fields, hashes, ask, now, policy) for each in found]

Each signature is judged by itself. What costs least is looked at first, so that a signature
which is too old or over another body costs no question to DNS.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from angarium.mail.auth.asking import Ask, NameTrouble, NoSuchName, is_name, texts
from angarium.mail.auth.canon import Canon, relaxed_field
from angarium.mail.auth.digest import BodyHashes, Want, fresh, hashed
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.keys import BadKeyError, PublicKey, published
from angarium.mail.auth.results import Result
from angarium.mail.auth.signature import (
    Outcome,
    Policy,
    Signature,
    SignatureError,
    read,
    timely,
    unsigned,
)
from angarium.mail.auth.tags import solid

FIELD: Final = b"dkim-signature"
DEFAULT: Final = Policy()
_RECORDS: Final = 3  # key records of one name which are tried; there should be one


@dataclass(slots=True)
class Verdict:
    """What a signature is worth."""

    row: int  # of its field in the header
    outcome: Outcome
    reason: str = ""  # empty when it passes
    signature: Signature | None = None  # None where it could not be read
    key: PublicKey | None = None  # the key it was checked with, as far as it came to that
    unsigned_octets: int = 0  # of the canonical body, behind l=

    @property
    def domain(self) -> str:
        return self.signature.domain if self.signature else ""

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.PASS

    @property
    def testing(self) -> bool:
        """Whether the domain says it tests DKIM: a failure is to count as no signature."""
        return self.key is not None and self.key.testing


def signatures(fields: Fields, policy: Policy = DEFAULT) -> list[Verdict]:
    """Return a verdict for each signature: NONE where the message is needed for more."""
    found = []
    for number, row in enumerate(fields.rows(FIELD)):
        verdict = Verdict(row, Outcome.NONE)
        found.append(verdict)
        if number >= policy.signatures:
            verdict.outcome, verdict.reason = Outcome.POLICY, "there are too many signatures"
            continue
        try:
            verdict.signature = read(fields.value(row), policy)
        except SignatureError as fault:
            verdict.outcome, verdict.reason = fault.outcome, fault.reason
    return found


def wants(found: Iterable[Verdict]) -> set[Want]:
    """Return what the signatures need to know of the body."""
    return {
        each.signature.want for each in found if each.signature and each.outcome is Outcome.NONE
    }


async def judged(
    verdict: Verdict,
    fields: Fields,
    hashes: BodyHashes,
    ask: Ask,
    now: float,
    policy: Policy = DEFAULT,
) -> Verdict:
    """Bring a verdict of `signatures` to its end, and return it."""
    signature = verdict.signature
    if signature is None or verdict.outcome is not Outcome.NONE:
        return verdict
    try:
        timely(signature, now, policy)
        verdict.unsigned_octets = over_body(signature, hashes, policy)
        digest = header_digest(
            fields, verdict.row, signature.names, signature.header_canon, signature.hash
        )
        verdict.key, bad = await by_key(signature, digest, ask, policy)
    except SignatureError as fault:
        bad = fault
    if bad is None:
        verdict.outcome = Outcome.PASS
    else:
        verdict.outcome, verdict.reason = bad.outcome, bad.reason
    return verdict


async def verify(
    fields: Fields, pieces: Iterable[bytes], ask: Ask, now: float, policy: Policy = DEFAULT
) -> list[Verdict]:
    """Return a verdict for each signature of a message, from the top."""
    found = signatures(fields, policy)
    hashes = hashed(wants(found), pieces)
    return [await judged(each, fields, hashes, ask, now, policy) for each in found]


def over_body(signature: Signature, hashes: BodyHashes, policy: Policy) -> int:
    """Return how many octets of the body are unsigned. Raises SignatureError for another body."""
    body = hashes[signature.want]
    length = signature.length
    if length is not None and body.size < length:
        raise SignatureError(Outcome.PERMERROR, "the body is shorter than was signed")
    if body.digest != signature.body_hash:
        raise SignatureError(Outcome.FAIL, "the body was changed")
    rest = 0 if length is None else body.size - length
    if rest and not policy.partial:
        raise SignatureError(Outcome.POLICY, "a part of the body is not signed")
    return rest


async def by_key(
    signature: Signature, digest: bytes, ask: Ask, policy: Policy
) -> tuple[PublicKey | None, SignatureError | None]:
    """Return the key by which a signature of this digest holds.

    With an error it does not hold: the key, if there is one, is the one that was tried last.
    """
    key: PublicKey | None = None
    fault = SignatureError(Outcome.PERMERROR, "there is no key")
    try:
        records = await key_records(ask, signature.place)
    except SignatureError as missing:
        return None, missing
    for record in records:
        try:
            key = published(record)
            fits(key, signature, policy)
        except BadKeyError as bad:
            fault = SignatureError(Outcome.PERMERROR, bad.message)
        except SignatureError as bad:
            fault = bad
        else:
            if key.holds(signature.value, digest, signature.hash):
                return key, None
            fault = SignatureError(Outcome.FAIL, "the signature is not of this header")
    return key, fault


def header_digest(
    fields: Fields, row: int, names: Iterable[bytes], canon: Canon, hash_name: str
) -> bytes:
    """Return the hash of the fields a signature covers, and of its own field without b=."""
    if canon == "relaxed":
        own = relaxed_field(fields.names[row], unsigned(fields.value(row)))
    else:
        octets, value = fields.octets(row).removesuffix(b"\r\n"), fields.value(row)
        own = octets[: len(octets) - len(value)] + unsigned(value)
    digest = fresh(hash_name)
    digest.update(fields.signed(fields.chosen(names), canon))
    digest.update(own)
    result: bytes = digest.digest()
    return result


async def key_records(ask: Ask, place: str) -> tuple[bytes, ...]:
    """Return the TXT records of a key's place. Raises SignatureError."""
    if not is_name(place):
        raise SignatureError(Outcome.PERMERROR, "the name of the key is too long")
    try:
        records = await texts(ask, place)
    except NoSuchName:
        records = ()
    except NameTrouble:
        raise SignatureError(Outcome.TEMPERROR, "the key cannot be had now") from None
    if not records:
        raise SignatureError(Outcome.PERMERROR, "there is no key")
    return records[:_RECORDS]


def fits(key: PublicKey, signature: Signature, policy: Policy) -> None:
    """Raise SignatureError if a key may not be used for a signature (section 6.1.2)."""
    if key.kind != signature.kind:
        raise SignatureError(Outcome.PERMERROR, "the key is of another kind")
    if key.hashes is not None and signature.hash.encode() not in key.hashes:
        raise SignatureError(Outcome.PERMERROR, "the key is not for this hash")
    if not key.services & {b"*", b"email"}:
        raise SignatureError(Outcome.PERMERROR, "the key is not for mail")
    if key.strict and signature.identity.rpartition("@")[2] != signature.domain:
        raise SignatureError(Outcome.PERMERROR, "the key is not for subdomains")
    if key.kind == "rsa" and key.bits < policy.rsa_bits:
        raise SignatureError(Outcome.POLICY, "the key is too short")


def reported(verdicts: Iterable[Verdict]) -> list[Result]:
    """Return what Authentication-Results says of a message's signatures (RFC 8601 2.7.1)."""
    return [_reported(each) for each in verdicts] or [Result("dkim", "none")]


def _reported(verdict: Verdict) -> Result:
    known = {}
    comment = ""
    if verdict.signature is not None:
        known = {
            "header.d": verdict.signature.domain,
            "header.i": verdict.signature.identity,
            "header.s": verdict.signature.selector,
            "header.a": verdict.signature.algorithm,
            # Which of several with the same domain is meant (RFC 6008).
            "header.b": solid(verdict.signature.tags[b"b"])[:8].decode(),
        }
    if verdict.key is not None:
        comment = f"{verdict.key.bits}-bit key" + (", test mode" if verdict.testing else "")
    return Result("dkim", verdict.outcome.value, known, verdict.reason, comment)
