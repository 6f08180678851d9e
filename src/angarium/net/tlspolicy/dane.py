"""DANE without I/O: TLSA records, and whether a host's certificates are those they name.

RFC 6698 and 7671 have the records, RFC 7672 how mail uses them: only usages 2 and 3 count, the
names and the dates of a certificate named by usage 3 do not.

Records come from secure answers only; who asks DNS knows which are.
"""

import enum
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

TRUST_ANCHOR: Final = 2  # DANE-TA: who signed it
END_ENTITY: Final = 3  # DANE-EE: the certificate itself
CERTIFICATE: Final = 0
PUBLIC_KEY: Final = 1
_HASHES: Final[dict[int, Callable[[bytes], bytes]]] = {
    0: bytes,
    1: lambda data: hashlib.sha256(data).digest(),
    2: lambda data: hashlib.sha512(data).digest(),
}
_LENGTHS: Final = {1: 32, 2: 64}
# Of one host. More are left out: each is compared with each certificate.
MAX_RECORDS: Final = 32
MAX_CHAIN: Final = 10  # certificates a host may show
# An authority named by DNS is its owner's: what the public ones promise each other (identifiers of
# keys, uses of keys) it need not have. That it is an authority it has to say.
_CA: Final = ExtensionPolicy.permit_all().require_present(
    x509.BasicConstraints, Criticality.AGNOSTIC, None
)
_EE: Final = ExtensionPolicy.permit_all().require_present(
    x509.SubjectAlternativeName, Criticality.AGNOSTIC, None
)


class Usage(enum.Enum):
    """What the secure TLSA records of a host come to."""

    NONE = "there are none: DANE says nothing"
    UNUSABLE = "none of them can be used: TLS has to be, whoever is at its end"
    USABLE = "TLS has to be, with a certificate they name"


@dataclass(frozen=True, slots=True)
class Tlsa:
    """A record of RFC 6698 section 2.1."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def usable(self) -> bool:
        """Whether mail can use it: RFC 7672 section 3.1 leaves public authorities out."""
        return (
            self.usage in (TRUST_ANCHOR, END_ENTITY)
            and self.selector in (CERTIFICATE, PUBLIC_KEY)
            and self.matching in _HASHES
            and len(self.data) == _LENGTHS.get(self.matching, len(self.data))
            and bool(self.data)
        )

    def names(self, certificate: x509.Certificate) -> bool:
        """Say whether this is the certificate, or its key, that the record names."""
        if self.selector == CERTIFICATE:
            data = certificate.public_bytes(Encoding.DER)
        else:
            key = certificate.public_key()
            data = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return _HASHES[self.matching](data) == self.data

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.data.hex()}"


def read(value: bytes) -> Tlsa | None:
    """Return the record whose data these octets are; None: they are too short for one."""
    return Tlsa(value[0], value[1], value[2], bytes(value[3:])) if len(value) > 3 else None


def records(values: Iterable[bytes]) -> tuple[Tlsa, ...]:
    """Return the records of a host, those that can be used first and not too many of them."""
    found = [record for record in map(read, values) if record is not None]
    found.sort(key=lambda record: not record.usable)
    return tuple(found[:MAX_RECORDS])


def usage(found: Sequence[Tlsa]) -> Usage:
    """Return what the records of a host come to."""
    if not found:
        return Usage.NONE
    return Usage.USABLE if any(record.usable for record in found) else Usage.UNUSABLE


class Trust(enum.Enum):
    """Whether the certificates of a host are named; the words are those of RFC 8460."""

    NAMED = "named"
    UNNAMED = "validation-failure"
    OTHER_HOST = "certificate-host-mismatch"
    EXPIRED = "certificate-expired"


def judge(found: Sequence[Tlsa], chain: Sequence[bytes], names: Sequence[str], now: float) -> Trust:
    """Judge the certificates a host has shown.

    Args:
        found: its records, at least one of them usable.
        chain: what it has shown, in DER, its own first.
        names: by which it may go (RFC 7672 section 3.2.2): that of the TLSA records, and the
            domain's. They count for usage 2 only.
        now: Unix time.
    """
    try:
        shown = [x509.load_der_x509_certificate(each) for each in chain[:MAX_CHAIN]]
    except ValueError:
        return Trust.UNNAMED
    if not shown:
        return Trust.UNNAMED
    worst = Trust.UNNAMED
    for record in found:
        if not record.usable:
            continue
        if record.usage == END_ENTITY:
            if _named(record, shown[0]):
                return Trust.NAMED
            continue
        anchors = [each for each in _anchors(record, shown) if _named(record, each)]
        if anchors:
            worst = _below(anchors, shown, names, now)
            if worst is Trust.NAMED:
                return worst
    return worst


def _anchors(record: Tlsa, shown: list[x509.Certificate]) -> list[x509.Certificate]:
    """Return who may be the anchor: one that was shown above the host's own, or the record's."""
    if record.matching == 0 and record.selector == CERTIFICATE:
        try:
            return [*shown[1:], x509.load_der_x509_certificate(record.data)]
        except ValueError:
            return shown[1:]
    return shown[1:]


def _named(record: Tlsa, certificate: x509.Certificate) -> bool:
    try:
        return record.names(certificate)
    except (ValueError, UnsupportedAlgorithm):  # A key of a kind nobody here knows.
        return False


def _below(
    anchors: list[x509.Certificate],
    shown: list[x509.Certificate],
    names: Sequence[str],
    now: float,
) -> Trust:
    """Judge a chain which has to end at one of the anchors."""
    leaf, at = shown[0], datetime.fromtimestamp(now, UTC)
    if not leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc:
        return Trust.EXPIRED
    called = [name for name in names if is_called(leaf, name)]
    if not called:
        return Trust.OTHER_HOST
    builder = (
        PolicyBuilder()
        .store(Store(anchors))
        .time(at)
        .max_chain_depth(MAX_CHAIN)
        .extension_policies(ca_policy=_CA, ee_policy=_EE)
    )
    for name in called:
        try:
            builder.build_server_verifier(x509.DNSName(name)).verify(leaf, shown[1:])
        except VerificationError:
            continue
        return Trust.NAMED
    return Trust.UNNAMED


def is_called(certificate: x509.Certificate, name: str) -> bool:
    """Say whether a certificate is for a host: by its alternative names (RFC 6125 section 6.4)."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        patterns = alternatives.value.get_values_for_type(x509.DNSName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    name = name.lower().removesuffix(".")
    label, _, parent = name.partition(".")
    wanted = {name, f"*.{parent}"} if label and "." in parent else {name}
    return any(pattern.lower().removesuffix(".") in wanted for pattern in patterns)
