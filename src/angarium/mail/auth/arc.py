"""Chains of ARC, checked: RFC 8617 section 5.2.

    chain = await verify(fields, body_pieces, ask, now)
    chain.outcome           none, pass or fail
    chain.reason            why it fails

Who hands a message on puts a set of three fields above it, all with its number: what it found
out (ARC-Authentication-Results), a signature over the message (ARC-Message-Signature), and a seal
over all sets so far (ARC-Seal). The chain holds if the sets are whole and in order, the newest
signature is of this message, and all seals hold. One fault is enough for all of it: there is no
half a chain.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from angarium.mail.auth import tags
from angarium.mail.auth.asking import Ask
from angarium.mail.auth.canon import CRLF, relaxed_field
from angarium.mail.auth.digest import BodyHashes, Want, fresh, hashed
from angarium.mail.auth.dkim import DEFAULT, by_key, header_digest, over_body
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.results import Result
from angarium.mail.auth.signature import (
    Outcome,
    Policy,
    Signature,
    SignatureError,
    algorithm,
    common,
    taken,
    unsigned,
)
from angarium.mail.auth.tags import TagError

RESULTS: Final = b"arc-authentication-results"
MESSAGE: Final = b"arc-message-signature"
SEAL: Final = b"arc-seal"
MAX_SETS: Final = 50  # RFC 8617 section 4.2.1
_INSTANCE: Final = re.compile(rb"[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([0-9]{1,3})[ \t\r\n]*;")


@dataclass(slots=True)
class Seal:
    """An ARC-Seal, read."""

    signature: Signature
    cv: str  # none, pass or fail


@dataclass(slots=True)
class Set:
    """The three fields of one who handed the message on, as rows of the header."""

    results: int
    message: int
    seal: int
    sealed: Seal | None = None
    signed: Signature | None = None

    @property
    def domain(self) -> str:
        return self.sealed.signature.domain if self.sealed else ""


@dataclass(slots=True)
class Chain:
    """What a chain is worth."""

    outcome: Outcome = Outcome.NONE  # NONE where there is none, or before it is judged
    reason: str = ""
    sets: list[Set] = field(default_factory=list)  # the oldest first
    highest: int = 0  # the highest number seen, also in a broken chain
    ended: bool = False  # whether the newest seal says itself that the chain had failed
    temporary: bool = False  # whether it failed only because DNS did not answer
    oldest_pass: int | None = None  # the oldest set whose message signature holds; 0: all do

    @property
    def domains(self) -> list[str]:
        """Who sealed it, the oldest first."""
        return [each.domain for each in self.sets]

    @property
    def broken(self) -> bool:
        return self.outcome is Outcome.FAIL

    def fail(self, reason: str) -> "Chain":
        self.outcome, self.reason = Outcome.FAIL, reason
        return self


def chain(fields: Fields, policy: Policy = DEFAULT) -> Chain:
    """Return the chain of a message as far as it can be judged without its body and DNS."""
    found = Chain()
    try:
        _collect(found, fields)
        for each in found.sets:
            each.sealed = _seal(fields.value(each.seal), policy)
        if found.sets:
            _in_order(found)
            newest = found.sets[-1]
            newest.signed = _message(fields.value(newest.message), policy)
    except (TagError, SignatureError) as fault:
        found.fail(fault.message)
    return found


def wants(found: Chain) -> set[Want]:
    """Return what the chain needs to know of the body."""
    return {each.signed.want for each in found.sets if each.signed} if not found.broken else set()


async def judged(
    found: Chain,
    fields: Fields,
    hashes: BodyHashes,
    ask: Ask,
    policy: Policy = DEFAULT,
) -> Chain:
    """Bring a chain of `chain` to its end, and return it."""
    if found.broken or not found.sets:
        return found
    try:
        newest = found.sets[-1]
        await _holds_message(newest, fields, hashes, ask, policy)
        for number in range(len(found.sets), 0, -1):
            await _holds_seal(found.sets[:number], fields, ask, policy)
    except SignatureError as fault:
        found.temporary = fault.outcome is Outcome.TEMPERROR
        return found.fail(fault.reason)
    found.outcome = Outcome.PASS
    return found


async def verify(
    fields: Fields, pieces: Iterable[bytes], ask: Ask, policy: Policy = DEFAULT
) -> Chain:
    """Return what the chain of a message is worth."""
    found = chain(fields, policy)
    return await judged(found, fields, hashed(wants(found), pieces), ask, policy)


def older(found: Chain, fields: Fields, policy: Policy = DEFAULT) -> None:
    """Read the message signatures of the older sets, too, so that `wants` has what they need."""
    for each in found.sets[:-1]:
        try:
            each.signed = _message(fields.value(each.message), policy)
        except (TagError, SignatureError):
            each.signed = None


async def oldest(
    found: Chain, fields: Fields, hashes: BodyHashes, ask: Ask, policy: Policy = DEFAULT
) -> int:
    """Return the oldest set up to which all message signatures hold; 0 if it is the first.

    Of a chain that passes; `older` was called before the body was hashed. It is for reports
    (RFC 8617 section 5.2, step 6): who changed the message is the set below.
    """
    for number in range(len(found.sets) - 1, 0, -1):
        try:
            await _holds_message(found.sets[number - 1], fields, hashes, ask, policy)
        except SignatureError:
            found.oldest_pass = number + 1
            return found.oldest_pass
    found.oldest_pass = 0
    return 0


def _collect(found: Chain, fields: Fields) -> None:
    """Put the sets of a header into its chain. Raises TagError, SignatureError."""
    kinds = [_numbered(fields, name, found) for name in (RESULTS, MESSAGE, SEAL)]
    whole = list(range(1, found.highest + 1))
    if any(sorted(each) != whole for each in kinds):
        raise SignatureError(Outcome.FAIL, "the chain has a gap")
    results, messages, seals = kinds
    found.sets = [Set(results[each], messages[each], seals[each]) for each in whole]


def _numbered(fields: Fields, name: bytes, found: Chain) -> dict[int, int]:
    """Return the rows of the fields of a name by their numbers. Raises TagError, SignatureError."""
    rows = fields.rows(name)
    numbered: dict[int, int] = {}
    if len(rows) > MAX_SETS:
        raise SignatureError(Outcome.FAIL, "the chain is too long")
    for row in rows:
        value = fields.value(row)
        if name == RESULTS:
            at = _INSTANCE.match(value)
            text = at[1] if at else b""
        else:
            text = tags.parsed(value).get(b"i", b"")
        if not text.isdigit() or len(text) > 3 or not 1 <= int(text) <= MAX_SETS:
            raise SignatureError(Outcome.FAIL, "a field of the chain has no number")
        number = int(text)
        found.highest = max(found.highest, number)
        if number in numbered:
            raise SignatureError(Outcome.FAIL, "a field of the chain is there twice")
        numbered[number] = row
    return numbered


def _in_order(found: Chain) -> None:
    newest = found.sets[-1].sealed
    found.ended = newest is not None and newest.cv == "fail"
    if found.ended:
        raise SignatureError(Outcome.FAIL, "the chain had failed before")
    for number, each in enumerate(found.sets, 1):
        expected = "none" if number == 1 else "pass"
        if each.sealed is None or each.sealed.cv != expected:
            raise SignatureError(Outcome.FAIL, "a seal says the wrong thing of the chain before it")


def _message(value: bytes, policy: Policy) -> Signature:
    """Read an ARC-Message-Signature: as DKIM's, but i= is a number (section 4.1.2).

    Without c= it is relaxed: the RFC says nothing of its own, the suite of its authors does.
    """
    known = {b"c": b"relaxed/relaxed"} | taken(value, policy)
    signature = common(known, policy)
    if SEAL in signature.names:
        raise SignatureError(Outcome.FAIL, "a message signature covers a seal")
    return signature


def _seal(value: bytes, policy: Policy) -> Seal:
    """Read an ARC-Seal (section 4.1.3)."""
    known = taken(value, policy)
    if b"h" in known:
        raise SignatureError(Outcome.FAIL, "a seal lists fields")
    cv = tags.needed(known, b"cv")
    if cv not in (b"none", b"pass", b"fail"):
        raise TagError("the tag cv= is unknown")
    kind, name = algorithm(known, policy)
    domain = tags.name_of(tags.needed(known, b"d"), "d")
    signature = Signature(
        domain,
        tags.name_of(tags.needed(known, b"s"), "s"),
        kind,
        name,
        "relaxed",
        "relaxed",
        [],
        b"",
        tags.octets(tags.needed(known, b"b"), "b"),
        f"@{domain}",
        None,
        tags.number(known, b"t", 12),
        None,
        known,
    )
    return Seal(signature, cv.decode())


async def _holds_message(
    each: Set, fields: Fields, hashes: BodyHashes, ask: Ask, policy: Policy
) -> None:
    signature = each.signed
    if signature is None:
        raise SignatureError(Outcome.FAIL, "a message signature cannot be read")
    over_body(signature, hashes, policy)
    digest = header_digest(
        fields, each.message, signature.names, signature.header_canon, signature.hash
    )
    _, fault = await by_key(signature, digest, ask, policy)
    if fault is not None:
        raise SignatureError(
            fault.outcome, f"message signature of {signature.domain}: {fault.reason}"
        )


async def _holds_seal(sets: list[Set], fields: Fields, ask: Ask, policy: Policy) -> None:
    newest = sets[-1].sealed
    if newest is None:
        raise SignatureError(Outcome.FAIL, "a seal cannot be read")
    digest = fresh(newest.signature.hash)
    digest.update(covered(sets, fields))
    digest.update(relaxed_field(SEAL, unsigned(fields.value(sets[-1].seal))))
    _, fault = await by_key(newest.signature, digest.digest(), ask, policy)
    if fault is not None:
        raise SignatureError(fault.outcome, f"seal of {newest.signature.domain}: {fault.reason}")


def covered(sets: list[Set], fields: Fields, *, all_of_last: bool = False) -> bytes:
    """Return what a seal covers besides itself: all sets, of the last one not its seal."""
    parts = []
    for each in sets:
        rows = [each.results, each.message]
        if each is not sets[-1] or all_of_last:
            rows.append(each.seal)
        parts += [fields.canonical(row, "relaxed") for row in rows]
    return b"".join(parts)


def fresh_fields(*octets: bytes) -> bytes:
    """Return whole fields in their relaxed form, for a seal which is being made."""
    parts = []
    for each in octets:
        name, _, value = each.partition(b":")
        parts.append(relaxed_field(name.lower(), value) + CRLF)
    return b"".join(parts)


def reported(found: Chain) -> Result:
    """Return what Authentication-Results says of a chain (RFC 8617 section 7.1)."""
    known = {}
    if found.oldest_pass is not None:
        known["header.oldest-pass"] = str(found.oldest_pass)
    return Result("arc", found.outcome.value, known, found.reason)
