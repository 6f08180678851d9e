"""Reports of TLS (RFC 8460): where they go, what stands in them, and those of others.

    where([b"v=TLSRPTv1; rua=mailto:tls@example.com"])     ("mailto:tls@example.com",)
    written(report)                                        JSON, as octets
    letter(report, octets, envelope)                       the message which brings it
    attached(tree)                                         what a message has of one
    read(octets)                                           a Report, or TlsReportError

The reader is total, and takes a report with gzip too, of no more than MAX_OCTETS when unpacked.
"""

import gzip
import re
import zlib
from base64 import encodebytes
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from angarium.core.errors import Error
from angarium.mail.format.header import CRLF
from angarium.mail.format.text import content_of
from angarium.mail.format.trace import date
from angarium.mail.format.tree import Part

MAX_OCTETS: Final = 16 * 1024 * 1024
MAX_PLACES: Final = 10  # of one domain
_VERSION: Final = b"v=TLSRPTv1"
_FIELD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\Z")
_GZIP: Final = b"\x1f\x8b"
_TYPES: Final = ("application/tlsrpt+gzip", "application/tlsrpt+json")

# Section 4.3, and the order in which a person looks for them.
RESULTS: Final = (
    "starttls-not-supported",
    "certificate-host-mismatch",
    "certificate-expired",
    "certificate-not-trusted",
    "validation-failure",
    "tlsa-invalid",
    "dnssec-invalid",
    "dane-required",
    "sts-policy-fetch-error",
    "sts-policy-invalid",
    "sts-webpki-invalid",
)


class TlsReportError(Error):
    """A report which is none."""


class _Kebab(msgspec.Struct, rename="kebab", omit_defaults=True, frozen=True):
    pass


class Range(_Kebab, frozen=True):
    """The time a report is about, in RFC 3339."""

    start_datetime: str
    end_datetime: str


class PolicyOf(_Kebab, frozen=True):
    """The policy that held: `tlsa`, `sts` or `no-policy-found`."""

    policy_type: str
    policy_domain: str
    policy_string: tuple[str, ...] = ()
    mx_host: tuple[str, ...] | str = ()


class Summary(msgspec.Struct, frozen=True):
    """Sessions, counted."""

    successes: int = msgspec.field(name="total-successful-session-count")
    failures: int = msgspec.field(name="total-failure-session-count")


class Failure(_Kebab, frozen=True):
    """Sessions which failed alike."""

    result_type: str
    sending_mta_ip: str = ""
    receiving_mx_hostname: str = ""
    receiving_mx_helo: str = ""
    receiving_ip: str = ""
    failed_session_count: int = 0
    additional_information: str = ""
    failure_reason_code: str = ""


class Judged(_Kebab, frozen=True):
    """A policy, and what came of the sessions it held for."""

    policy: PolicyOf
    summary: Summary
    failure_details: tuple[Failure, ...] = ()


class Report(_Kebab, frozen=True):
    """A report of a day."""

    organization_name: str
    date_range: Range
    report_id: str
    policies: tuple[Judged, ...]
    contact_info: str = ""


def where(records: Iterable[bytes]) -> tuple[str, ...]:
    """Return where a domain wants its reports, by the TXT records of _smtp._tls.<domain>.

    Only mailto: and https: are places (section 3). More than one record counts as none.
    """
    own = [
        each
        for each in records
        if each.startswith(_VERSION) and each[len(_VERSION) :].lstrip(b" \t")[:1] == b";"
    ]
    if len(own) != 1:
        return ()
    try:
        fields = own[0].decode("ascii").split(";")[1:]
    except UnicodeDecodeError:
        return ()
    places: tuple[str, ...] = ()
    for field in fields:
        name, equals, value = field.strip(" \t").partition("=")
        if not (name or equals):
            continue
        if not equals or not _FIELD.match(name):
            return ()
        if name == "rua" and not places:
            wanted = (each.strip(" \t") for each in value.split(","))
            places = tuple(each for each in wanted if _is_place(each))[:MAX_PLACES]
    return places


def _is_place(place: str) -> bool:
    kind, _, rest = place.partition(":")
    if not rest or any(each <= " " for each in place):
        return False
    if kind.lower() == "mailto":
        return "@" in rest.strip("@")
    return kind.lower() == "https" and rest.startswith("//") and len(rest) > 2


def written(report: Report) -> bytes:
    """Return a report as JSON."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a report is sent with.

    Attributes:
        host: our name; `sender`: the From field.
        token: letters and digits nobody can guess.
    """

    host: str
    sender: str
    to: str
    domain: str
    begin: int
    end: int
    now: float
    token: str

    @property
    def name(self) -> str:
        """The name of the file: section 5.1."""
        return f"{self.host}!{self.domain}!{self.begin}!{self.end}.json.gz"


def packed(report: Report, begin: int) -> bytes:
    """Return a report as it travels; the same each time it is made."""
    return gzip.compress(written(report), mtime=begin)


def letter(report: Report, octets: bytes, envelope: Envelope) -> bytes:
    """Return the message which brings a report: section 5.3."""
    host, domain, boundary = envelope.host, envelope.domain, f"=_{envelope.token}"
    head = [
        f"From: {envelope.sender}",
        f"To: {envelope.to}",
        f"Subject: Report Domain: {domain}",
        f"\tSubmitter: {host}",
        f"\tReport-ID: <{report.report_id}>",
        f"Date: {date(int(envelope.now))}",
        f"Message-ID: <{envelope.token}@{host}>",
        f"TLS-Report-Domain: {domain}",
        f"TLS-Report-Submitter: {host}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type="tlsrpt";',
        f'\tboundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        f"This is a report of {host} about connections by TLS for mail to {domain},",
        f"{report.date_range.start_datetime} to {report.date_range.end_datetime}.",
        "",
        f"--{boundary}",
        "Content-Type: application/tlsrpt+gzip",
        "Content-Transfer-Encoding: base64",
        f'Content-Disposition: attachment; filename="{envelope.name}"',
        "",
    ]
    lines = [line.encode("utf-8", "surrogateescape") for line in head]
    body = encodebytes(octets).replace(b"\n", CRLF)
    return CRLF.join(lines) + CRLF + body + f"\r\n--{boundary}--\r\n".encode()


def attached(top: Part) -> bytes | None:
    """Return the report in a message, as it is packed there."""
    for part in top.walk():
        if not part.is_container and part.kind.mimetype in _TYPES:
            return content_of(part)
    return None


def read(document: bytes) -> Report:
    """Return the report that octets are, with gzip or without. Raises TlsReportError."""
    if document.startswith(_GZIP):
        document = _unpacked(document)
    if len(document) > MAX_OCTETS:
        raise TlsReportError("the report is too long", octets=len(document))
    try:
        return msgspec.json.decode(document, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TlsReportError("no report of RFC 8460", reason=str(error)) from None


def _unpacked(document: bytes) -> bytes:
    unpacking = zlib.decompressobj(31)
    try:
        data = unpacking.decompress(document, MAX_OCTETS)
    except zlib.error as error:
        raise TlsReportError("the report does not unpack", reason=str(error)) from None
    if unpacking.unconsumed_tail:
        raise TlsReportError("the report is too long when it is unpacked", more=f"> {MAX_OCTETS}")
    if not unpacking.eof:
        raise TlsReportError("the report ends before its packing does")
    return data


def plain(report: Report) -> dict[str, Any]:
    """Return a report as values of JSON."""
    made: dict[str, Any] = msgspec.to_builtins(report)
    return made
