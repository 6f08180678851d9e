"""Records of DMARC (RFC 7489 section 6.3): what a domain wants done, and where reports go.

    record = chosen(texts)          the one record among the TXT records; None: there is none

What is wrong in a record is passed over and its default holds (section 6.3), but a record without a
policy is one only if it asks for reports (section 6.6.3). So nothing here raises.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

_VERSION: Final = re.compile(rb"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_URI: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:[^!\s,]+)(?:!([0-9]{1,15})([kmgtKMGT]?))?")
_UNITS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
MAX_URIS: Final = 10  # read of one tag; section 6.3 wants at least two
MAX_RECORD: Final = 4096  # octets read
_KEPT_SIZE: Final = 600  # octets of a record which is kept parsed; few are longer


class Policy(StrEnum):
    """What is to be done with what fails."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"

    @property
    def milder(self) -> "Policy":
        """Return what is done with those which sampling spares (section 6.6.4)."""
        return Policy.QUARANTINE if self is Policy.REJECT else Policy.NONE


@dataclass(frozen=True, slots=True)
class Destination:
    """Where reports go. `limit`: octets of one, 0: no limit."""

    uri: str
    limit: int = 0

    @property
    def mailbox(self) -> str:
        """Return the address of a mailto; "" if it is none."""
        scheme, _, rest = self.uri.partition(":")
        if scheme.lower() != "mailto":
            return ""
        address = unquote(rest.partition("?")[0])
        good = re.fullmatch(r"[^@\s<>,;\x00-\x1f\x7f]+@[A-Za-z0-9._-]+", address)
        return address if good else ""


@dataclass(frozen=True, slots=True)
class Record:
    """What a domain says.

    Attributes:
        policy: for the domain itself.
        subdomain: for names below it.
        missing: for names below it which do not exist (RFC 9091).
        strict_dkim: DKIM must have signed for the very domain.
        strict_spf: the sender's domain must be the very domain.
        percent: of failing messages the policy is for.
        failures: when a report of a failure is wanted: "0", "1", "d", "s".
        interval: seconds between aggregate reports.
        aggregate: where aggregate reports go.
        failure: where reports of failures go.
        text: the record as it is published.
    """

    policy: Policy
    subdomain: Policy
    missing: Policy | None = None
    strict_dkim: bool = False
    strict_spf: bool = False
    percent: int = 100
    failures: frozenset[str] = frozenset("0")
    interval: int = 86400
    aggregate: tuple[Destination, ...] = ()
    failure: tuple[Destination, ...] = ()
    text: str = ""


def chosen(texts: Iterable[bytes]) -> Record | None:
    """Return the record among TXT records; None if there is none, or more than one."""
    found = [text for text in texts if _VERSION.match(text)]
    return parsed(found[0]) if len(found) == 1 else None


def is_record(text: bytes) -> bool:
    """Say whether a TXT record begins as those of DMARC do."""
    return _VERSION.match(text) is not None


def parsed(text: bytes) -> Record | None:
    """Return what a text says; None if it is no record which can be used."""
    return _kept(text) if len(text) <= _KEPT_SIZE else _parsed(text)


@lru_cache(maxsize=1000)
def _kept(text: bytes) -> Record | None:
    return _parsed(text)


def _parsed(text: bytes) -> Record | None:
    if not _VERSION.match(text):
        return None
    whole = text[:MAX_RECORD].decode("ascii", "replace")
    tags: dict[str, str] = {}
    for part in whole.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            tags.setdefault(name.strip(" \t").lower(), value.strip(" \t"))
    aggregate = destinations(tags.get("rua", ""))
    policy = _policy(tags.get("p"))
    if policy is None:
        if not aggregate:
            return None
        policy = Policy.NONE  # section 6.6.3, step 6
    testing = tags.get("t", "n").lower() == "y"  # DMARCbis: as if no message were sampled
    return Record(
        policy,
        _policy(tags.get("sp")) or policy,
        _policy(tags.get("np")),
        tags.get("adkim", "r").lower() == "s",
        tags.get("aspf", "r").lower() == "s",
        0 if testing else _number(tags.get("pct", ""), 100, 100),
        _failures(tags.get("fo", "0")),
        _number(tags.get("ri", ""), 86400, 0xFFFFFFFF),
        aggregate,
        destinations(tags.get("ruf", "")),
        whole,
    )


def destinations(value: str) -> tuple[Destination, ...]:
    """Return where a list of URIs leads (section 6.4); what is none is passed over."""
    found = []
    for part in value.split(",")[:MAX_URIS]:
        uri = _URI.fullmatch(part.strip(" \t"))
        if uri:
            limit = int(uri[2]) * 1024 ** _UNITS[uri[3].lower()] if uri[2] else 0
            found.append(Destination(uri[1], limit))
    return tuple(found)


def _policy(value: str | None) -> Policy | None:
    return Policy(value.lower()) if value and value.lower() in set(Policy) else None


def _number(value: str, default: int, most: int) -> int:
    return int(value) if re.fullmatch(r"[0-9]{1,10}", value) and int(value) <= most else default


def _failures(value: str) -> frozenset[str]:
    options = {part.strip().lower() for part in value.split(":")} & {"0", "1", "d", "s"}
    return frozenset(options or "0")
