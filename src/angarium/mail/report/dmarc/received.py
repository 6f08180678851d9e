"""Aggregate reports which others sent: unpacked and read (RFC 7489 section 7.2).

    report = read(octets)           XML, or packed by gzip or zip; ReportError if it is none
    octets = attached(tree(draft))  the report in a message; None without one

Whoever publishes an address for reports gets files from anybody. So nothing is unpacked beyond
`MAX_SIZE`, no document type is taken (nothing stands for something else, in the file or outside),
and rows are counted. Elements nobody knows are passed over, whatever name space they are in.
"""

import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Final
from xml.parsers import expat

from angarium.core.errors import Error
from angarium.mail.format.text import content_of
from angarium.mail.format.tree import Part
from angarium.mail.report.dmarc.aggregate import Published, Report, Row, Signature

MAX_SIZE: Final = 32 << 20  # octets of XML; a large receiver's day of a large domain has some 10
MAX_ROWS: Final = 200_000
MAX_DEPTH: Final = 20
MAX_VALUE: Final = 1000  # characters of one value that are kept
_MANY: Final = 100  # signatures or reasons of one row that are kept
_NAMES: Final = frozenset(
    ("source_ip", "count", "disposition", "dkim", "spf", "header_from", "envelope_from")
)
_PACKED: Final = 100  # entries of a zip file that are looked at
_TYPES: Final = (
    "application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed",
    "application/xml", "text/xml", "application/octet-stream",
)  # fmt: skip
_ENDS: Final = (".xml", ".xml.gz", ".gz", ".zip")


class ReportError(Error):
    """Octets which are no report."""


def attached(top: Part) -> bytes | None:
    """Return the report in a message, as it is packed there."""
    for part in top.walk():
        if part.is_container or part.kind.mimetype not in _TYPES:
            continue
        name = (part.kind.filename or "").lower()
        if part.kind.mimetype != "application/octet-stream" or name.endswith(_ENDS):
            return content_of(part)
    return None


def read(octets: bytes) -> Report:
    """Return a report. Raises ReportError."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(unpacked(octets), True)
    except expat.ExpatError as fault:
        raise ReportError("this is no XML", why=str(fault)) from None
    return reader.report()


def _refuse(*_what: object) -> None:
    raise ReportError("a report has no document type")


def unpacked(octets: bytes) -> bytes:
    """Return the XML of a report, packed by gzip, zip or not at all. Raises ReportError."""
    if octets.startswith(b"\x1f\x8b"):
        return _inflated(octets)
    if octets.startswith(b"PK"):
        return _unzipped(octets)
    if len(octets) > MAX_SIZE:
        raise ReportError("the report is too large")
    return octets


def _inflated(octets: bytes) -> bytes:
    inflate = zlib.decompressobj(wbits=31)
    try:
        found = inflate.decompress(octets, MAX_SIZE + 1)
    except zlib.error as fault:
        raise ReportError("it cannot be unpacked", why=str(fault)) from None
    if len(found) > MAX_SIZE:
        raise ReportError("the report is too large")
    return found


def _unzipped(octets: bytes) -> bytes:
    try:
        with zipfile.ZipFile(BytesIO(octets)) as packed:
            names = packed.infolist()[:_PACKED]
            chosen = [each for each in names if each.filename.lower().endswith(".xml")] or names
            if not chosen:
                raise ReportError("there is nothing in it")
            with packed.open(chosen[0]) as file:
                found = file.read(MAX_SIZE + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError,
            EOFError, ValueError, KeyError) as fault:  # fmt: skip
        raise ReportError("it cannot be unpacked", why=str(fault)) from None
    if len(found) > MAX_SIZE:
        raise ReportError("the report is too large")
    return found


class _Reader:
    """Puts a report together of what the parser comes across."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._text = ""
        self._metadata: dict[str, str] = {}
        self._policy: dict[str, str] = {}
        self._row: dict[str, str] = {}
        self._result: dict[str, str] = {}
        self._signatures: list[Signature] = []
        self._reasons: list[tuple[str, str]] = []
        self._errors: list[str] = []
        self._rows: list[tuple[Row, int]] = []

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        self._path.append(name.rpartition(" ")[2].lower())
        self._text = ""
        if len(self._path) > MAX_DEPTH:
            raise ReportError("the report is too deep")
        if len(self._path) == 1 and self._path[0] != "feedback":
            raise ReportError("this is no report of DMARC", root=self._path[0])

    def text(self, text: str) -> None:
        if len(self._text) < MAX_VALUE:
            self._text += text[:MAX_VALUE]

    def end(self, _name: str) -> None:
        path, self._text, text = tuple(self._path[1:]), "", self._text.strip()[:MAX_VALUE]
        del self._path[-1]
        if path[:1] == ("record",):
            self._end_of_row(path[1:], text)
        elif path[:1] == ("report_metadata",):
            if path[-1] == "error" and len(self._errors) < _MANY:
                self._errors.append(text)
            elif len(self._metadata) < _MANY:
                self._metadata.setdefault(path[-1], text)
        elif path[:1] == ("policy_published",) and len(self._policy) < _MANY:
            self._policy.setdefault(path[-1], text)

    def _end_of_row(self, path: tuple[str, ...], text: str) -> None:
        match path:
            case ("row", "policy_evaluated", "reason"):
                found = self._taken()
                if len(self._reasons) < _MANY:
                    self._reasons.append((found.get("type", ""), found.get("comment", "")))
            case ("auth_results", "dkim"):
                found = self._taken()
                values = [found.get(each, "") for each in ("domain", "selector", "result")]
                if len(self._signatures) < _MANY:
                    self._signatures.append(Signature(*values))
            case ("auth_results", "spf"):
                for name in ("domain", "result", "scope"):
                    self._row.setdefault(f"spf_{name}", self._result.get(name, ""))
                self._taken()
            case ("auth_results", _, last) | ("row", "policy_evaluated", "reason", last):
                if len(self._result) < _MANY:
                    self._result.setdefault(last, text)
            case ():
                self._end_row()
            case (*_, last) if last in _NAMES:
                self._row.setdefault(last, text)

    def _taken(self) -> dict[str, str]:
        taken, self._result = self._result, {}
        return taken

    def _end_row(self) -> None:
        if len(self._rows) >= MAX_ROWS:
            raise ReportError("the report has too many rows")
        value: Callable[[str], str] = lambda name: self._row.get(name, "")  # noqa: E731 - short
        row = Row(
            value("source_ip"), value("disposition").lower(), value("dkim").lower(),
            value("spf").lower(), value("header_from"), value("envelope_from"),
            value("spf_domain"), value("spf_result"), value("spf_scope"),
            tuple(self._signatures), tuple(self._reasons),
        )  # fmt: skip
        self._rows.append((row, _number(value("count"))))
        self._row, self._signatures, self._reasons = {}, [], []

    def report(self) -> Report:
        """Return the report. Raises ReportError."""
        policy, metadata = self._policy, self._metadata
        if not policy.get("domain"):
            raise ReportError("the report does not say what it is about")
        return Report(
            metadata.get("org_name", ""),
            metadata.get("email", ""),
            metadata.get("report_id", ""),
            _number(metadata.get("begin", "")),
            _number(metadata.get("end", "")),
            Published(
                policy["domain"], policy.get("p", ""), policy.get("sp", ""),
                policy.get("adkim", ""), policy.get("aspf", ""), policy.get("pct", ""),
                policy.get("fo", ""), policy.get("np", ""),
            ),
            tuple(self._rows),
            metadata.get("extra_contact_info", ""),
            tuple(self._errors),
        )  # fmt: skip


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
