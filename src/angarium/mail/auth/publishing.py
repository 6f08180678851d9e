"""Records of DKIM keys as DNS has them: made, put into a zone, compared with the private key.

    text = record_of(key, testing=True)             b"v=DKIM1; k=rsa; t=y; p=..."
    zone_line("s1", "example.com", text)            s1._domainkey.example.com. IN TXT "..." "..."
    for fault in faults(records, key): fault.fatal, fault.text

What is said of a record is said in words, all of it at once: who publishes one by hand sees all
that is wrong with it, not only the first.
"""

import base64
from collections.abc import Sequence
from typing import Final, NamedTuple

from angarium.mail.auth import tags
from angarium.mail.auth.keys import BadKeyError, PrivateKey, PublicKey, published
from angarium.mail.auth.tags import TagError

MAX_STRING: Final = 255  # octets of a string in a TXT record, RFC 1035 section 3.3
MIN_BITS: Final = 1024  # RFC 8301 section 3.2: verifiers take no shorter ones
GOOD_BITS: Final = 2048  # what signers should have, there
LONG_BITS: Final = 4096  # above this some verifiers give up: none has to take it (RFC 6376 3.3.3)


class Fault(NamedTuple):
    """What is wrong with a record."""

    fatal: bool  # signatures of the key do not hold at receivers
    text: str


def place(selector: str, domain: str) -> str:
    """Return the name under which a key is published."""
    return f"{selector}._domainkey.{domain}"


def record_of(key: PrivateKey, *, testing: bool = False, strict: bool = False) -> bytes:
    """Return the record of a key.

    Args:
        testing: say that the domain tests DKIM.
        strict: the key is not for subdomains.
    """
    flags = ":".join([flag for flag, there in (("y", testing), ("s", strict)) if there])
    words = [b"v=DKIM1", b"k=" + key.kind.encode()]
    if flags:
        words.append(b"t=" + flags.encode())
    return b"; ".join([*words, b"p=" + base64.b64encode(key.public())])


def strings(record: bytes) -> list[bytes]:
    """Return a record in strings as DNS has them."""
    return [record[at : at + MAX_STRING] for at in range(0, len(record), MAX_STRING)]


def zone_line(selector: str, domain: str, record: bytes) -> str:
    """Return the line which a zone must have."""
    quoted = " ".join([f'"{each.decode()}"' for each in strings(record)])
    return f"{place(selector, domain)}. IN TXT {quoted}"


def faults(records: Sequence[bytes], key: PrivateKey | None = None) -> list[Fault]:
    """Return what is wrong with the records of a place.

    Args:
        key: which signs; None: it is not known.
    """
    if not records:
        return [Fault(True, "there is no record")]
    found = []
    if len(records) > 1:
        found.append(Fault(True, f"there are {len(records)} records; receivers take any of them"))
    for record in records:
        found += _of_record(record)
        try:
            there = published(record)
        except BadKeyError as bad:
            found.append(Fault(True, bad.message))
            continue
        found += _of_key(there)
        if key is not None:
            found += _against(there, key)
    return list(dict.fromkeys(found))


def _of_record(record: bytes) -> list[Fault]:
    """Return what is wrong with the text of a record, beside that there is no key in it."""
    try:
        known = tags.parsed(record)
    except TagError:
        return []  # `published` says it.
    found = []
    if b"v" not in known:
        found.append(Fault(False, "it does not begin with v=DKIM1"))
    if known.get(b"g", b"*") != b"*":
        found.append(Fault(False, "it has g=, by which old receivers leave out most senders"))
    return found


def _of_key(there: PublicKey) -> list[Fault]:
    found = []
    if there.kind == "rsa":
        if there.bits < MIN_BITS:
            found.append(Fault(True, f"the key has {there.bits} bits: receivers want {MIN_BITS}"))
        elif there.bits < GOOD_BITS:
            found.append(Fault(False, f"the key has {there.bits} bits; it should have {GOOD_BITS}"))
        elif there.bits > LONG_BITS:
            found.append(Fault(False, f"the key has {there.bits} bits: not all receivers take it"))
    if there.hashes is not None and b"sha256" not in there.hashes:
        found.append(Fault(True, "h= does not have sha256"))
    if not there.services & {b"*", b"email"}:
        found.append(Fault(True, "s= does not have email"))
    if there.testing:
        found.append(Fault(False, "t=y: the domain says it tests, and signatures count less"))
    return found


def _against(there: PublicKey, key: PrivateKey) -> list[Fault]:
    if there.kind != key.kind:
        return [Fault(True, f"DNS has a key of {there.kind}, and who signs has one of {key.kind}")]
    try:
        ours = published(key.record())
    except BadKeyError as bad:
        return [Fault(True, f"who signs has a key nobody takes: {bad.message}")]
    if there.key != ours.key:
        return [Fault(True, "DNS has another key than the one which signs")]
    return []
