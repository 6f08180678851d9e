"""Reports of DMARC as messages: the day's report (RFC 7489 section 7.2.1.1), and one failure
(section 7.3, RFC 6591, RFC 5965).
"""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from angarium.mail.format.build import Attachment, message
from angarium.mail.format.header import CRLF
from angarium.mail.format.trace import date
from angarium.mail.report.dmarc.aggregate import Report, file_name, written

MAX_HEADER: Final = 65536  # octets of a failed message's header which go into a report
_UNSEEN: Final = dict.fromkeys((*range(32), 127), " ")


@dataclass(frozen=True, slots=True)
class Writer:
    """Who reports: our name, and the From field."""

    host: str
    sender: str


def daily(report: Report, writer: Writer, to: Sequence[str], now: float, token: str) -> bytes:
    """Return the message which brings an aggregate report."""
    domain = report.published.domain
    name = file_name(report, writer.host)
    text = (
        f"This is a DMARC aggregate report of {writer.host} about mail from {domain},\r\n"
        f"{date(report.begin, UTC)} to {date(report.end, UTC)}.\r\n"
    )
    octets = gzip.compress(written(report), mtime=report.end)
    return message(
        [
            ("From", writer.sender),
            ("To", ", ".join(to)),
            (
                "Subject",
                f"Report Domain: {domain} Submitter: {writer.host} Report-ID: <{report.report_id}>",
            ),
            ("Date", date(int(now))),
            ("Message-ID", f"<{token}@{writer.host}>"),
            ("Auto-Submitted", "auto-generated"),
        ],
        [("text/plain", text.encode())],
        [Attachment("application/gzip", name, octets)],
        token,
    )


@dataclass(frozen=True, slots=True)
class Failure:
    """One message which failed.

    Attributes:
        delivery: what became of it: delivered, policy (quarantine), reject.
        alignment: what proved the author's domain: "none", "spf", "dkim".
        results: the value of Authentication-Results.
        header: of the message.
        signature: the domain of a signature which failed; "" if there is none.
    """

    domain: str
    source_ip: str
    sender: str
    recipients: tuple[str, ...]
    arrived: float
    delivery: str
    alignment: str
    results: str
    header: bytes
    signature: str = ""


def single(failure: Failure, writer: Writer, to: Sequence[str], now: float, token: str) -> bytes:
    """Return the message which tells of one failure."""
    boundary = f"=_{token}"
    text = (
        f"This is an authentication failure report of {writer.host} about a message from\r\n"
        f"{failure.source_ip} which says it is from {failure.domain}.\r\n"
    )
    lines = [
        f"From: {writer.sender}",
        f"To: {', '.join(to)}",
        f"Subject: FW: DMARC failure of {failure.domain}",
        f"Date: {date(int(now))}",
        f"Message-ID: <{token}@{writer.host}>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type="feedback-report";',
        f'\tboundary="{boundary}"',
    ]
    parts = [
        b"Content-Type: text/plain; charset=us-ascii\r\n\r\n" + text.encode(),
        b"Content-Type: message/feedback-report\r\n\r\n" + _feedback(failure, writer),
        # What stands in the header of a message may be of eight bits, and comes as it was.
        b"Content-Type: text/rfc822-headers\r\n\r\n" + failure.header[:MAX_HEADER],
    ]
    out = [_plain(line).encode("utf-8", "surrogateescape") for line in lines]
    octets = CRLF.join(out) + CRLF
    for part in parts:
        octets += f"\r\n--{boundary}\r\n".encode() + part
    return octets + f"\r\n--{boundary}--\r\n".encode()


def _feedback(failure: Failure, writer: Writer) -> bytes:
    pairs = [
        ("Feedback-Type", "auth-failure"),
        ("User-Agent", "Angarium"),
        ("Version", "1"),
        ("Auth-Failure", "dmarc"),
        ("Original-Mail-From", f"<{failure.sender}>"),
        *[("Original-Rcpt-To", f"<{each}>") for each in failure.recipients],
        ("Arrival-Date", date(int(failure.arrived))),
        ("Source-IP", failure.source_ip),
        ("Reported-Domain", failure.domain),
        ("Reporting-MTA", f"dns; {writer.host}"),
        ("Authentication-Results", failure.results),
        ("Identity-Alignment", failure.alignment),
        ("Delivery-Result", failure.delivery),
        *([("DKIM-Domain", failure.signature)] if failure.signature else []),
    ]
    lines = [_plain(f"{name}: {value}") for name, value in pairs]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")


def _plain(line: str) -> str:
    """Return a line in which nothing begins another one, a tab at its beginning excepted."""
    return line[:1] + line[1:].replace("\r\n\t", " ").translate(_UNSEEN)
