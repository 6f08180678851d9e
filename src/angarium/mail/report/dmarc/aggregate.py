"""Aggregate reports of DMARC (RFC 7489 section 7.2 and appendix C): what they say, as XML.

    octets = written(Report(...))           XML, not compressed
    name = file_name(report)                "mx.example!example.com!1700000000!1700086400.xml.gz"

Reading them is `received`. What a row says of strangers is cut, and characters which XML does not
have are left out: the file of an honest day must not break by one sender.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape

MAX_TEXT: Final = 255  # characters of one value
# Char of XML 1.0 section 2.2, without those nobody has in a domain.
_NO_CHARACTER: Final = re.compile(
    r"[^\t\n\r\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True)
class Published:
    """The policy as its domain published it."""

    domain: str
    p: str = "none"
    sp: str = ""
    adkim: str = "r"
    aspf: str = "r"
    pct: str = "100"
    fo: str = ""
    np: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """What was found of one signature."""

    domain: str
    selector: str
    result: str


@dataclass(frozen=True, slots=True)
class Row:
    """Messages which were alike.

    Attributes:
        disposition: what was done: none, quarantine, reject.
        dkim, spf: whether each proved the author's domain: pass or fail.
        reasons: pairs of type and comment: why the policy was not followed.
        spf_domain, spf_result, spf_scope: of the check itself, "" without one.
    """

    source_ip: str
    disposition: str
    dkim: str
    spf: str
    header_from: str
    envelope_from: str = ""
    spf_domain: str = ""
    spf_result: str = ""
    spf_scope: str = ""
    signatures: tuple[Signature, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One report. Times are Unix seconds, the end is the last second of it."""

    organisation: str
    email: str
    report_id: str
    begin: int
    end: int
    published: Published
    rows: tuple[tuple[Row, int], ...] = ()
    contact: str = ""
    errors: tuple[str, ...] = field(default=())


def file_name(report: Report, receiver: str, suffix: str = ".xml.gz") -> str:
    """Return the name of its file (section 7.2.1.1)."""
    return f"{receiver}!{report.published.domain}!{report.begin}!{report.end}{suffix}"


def written(report: Report) -> bytes:
    """Return the report as XML."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<feedback>", "<version>1.0</version>"]
    lines += _metadata(report)
    lines += _policy(report.published)
    for row, count in report.rows:
        lines += _record(row, count)
    lines.append("</feedback>")
    return "\n".join(lines).encode("utf-8") + b"\n"


def _one(name: str, text: str) -> str:
    return f"<{name}>{escape(_NO_CHARACTER.sub('', text)[:MAX_TEXT])}</{name}>"


def _some(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [_one(name, text) for name, text in pairs if text]


def _metadata(report: Report) -> list[str]:
    return [
        "<report_metadata>",
        _one("org_name", report.organisation),
        _one("email", report.email),
        *_some([("extra_contact_info", report.contact)]),
        _one("report_id", report.report_id),
        f"<date_range><begin>{report.begin}</begin><end>{report.end}</end></date_range>",
        *[_one("error", each) for each in report.errors],
        "</report_metadata>",
    ]


def _policy(published: Published) -> list[str]:
    return [
        "<policy_published>",
        *_some(
            [
                ("domain", published.domain),
                ("adkim", published.adkim),
                ("aspf", published.aspf),
                ("p", published.p),
                ("sp", published.sp or published.p),
                ("np", published.np),
                ("pct", published.pct),
                ("fo", published.fo),
            ]
        ),
        "</policy_published>",
    ]


def _record(row: Row, count: int) -> list[str]:
    lines = ["<record>", "<row>", _one("source_ip", row.source_ip), f"<count>{count}</count>"]
    lines += [
        "<policy_evaluated>",
        *_some([("disposition", row.disposition), ("dkim", row.dkim), ("spf", row.spf)]),
    ]
    for kind, comment in row.reasons:
        lines.append(f"<reason>{''.join(_some([('type', kind), ('comment', comment)]))}</reason>")
    lines += ["</policy_evaluated>", "</row>", "<identifiers>"]
    lines += [*_some([("envelope_from", row.envelope_from)]), _one("header_from", row.header_from)]
    lines += ["</identifiers>", "<auth_results>"]
    for each in row.signatures:
        pairs = [("domain", each.domain), ("selector", each.selector), ("result", each.result)]
        lines.append(f"<dkim>{''.join(_some(pairs))}</dkim>")
    if row.spf_result:
        pairs = [("domain", row.spf_domain), ("scope", row.spf_scope), ("result", row.spf_result)]
        lines.append(f"<spf>{''.join(_some(pairs))}</spf>")
    return [*lines, "</auth_results>", "</record>"]
