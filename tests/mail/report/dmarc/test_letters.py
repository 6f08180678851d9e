"""Reports of DMARC as messages."""

from email import message_from_bytes, policy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.draft import Draft
from angarium.mail.format.tree import tree
from angarium.mail.report import arf
from angarium.mail.report.dmarc.aggregate import Published, Report, Row
from angarium.mail.report.dmarc.letters import Failure, Writer, daily, single
from angarium.mail.report.dmarc.received import attached, read

WRITER = Writer("mx.example", "DMARC reports <dmarc@mx.example>")
REPORT = Report(
    "us", "dmarc@mx.example", "id-1", 1_700_000_000, 1_700_086_399,
    Published("example.com", sp="none"),
    ((Row("192.0.2.1", "none", "pass", "pass", "example.com"), 2),),
)  # fmt: skip
FAILURE = Failure(
    "example.com", "192.0.2.1", "joe@other.example", ("ann@mx.example",), 1_700_000_000.0,
    "reject", "none", "mx.example;\r\n\tdmarc=fail", b"From: x@example.com\r\nSubject: \xe9\r\n",
    "other.example",
)  # fmt: skip


def _parsed(octets: bytes) -> Any:
    return message_from_bytes(octets, policy=policy.default)


def test_a_day_goes_as_a_file_which_is_named_as_the_rfc_says() -> None:
    octets = daily(REPORT, WRITER, ["a@example.com", "b@example.com"], 1_700_090_000.0, "t1")
    message = _parsed(octets)
    assert message["To"] == "a@example.com, b@example.com"
    assert message["Subject"] == (
        "Report Domain: example.com Submitter: mx.example Report-ID: <id-1>"
    )
    [file] = message.iter_attachments()
    assert file.get_content_type() == "application/gzip"
    assert file.get_filename() == "mx.example!example.com!1700000000!1700086399.xml.gz"
    found = attached(tree(Draft(octets)))
    assert found is not None
    assert read(found) == REPORT


def test_a_failure_goes_as_a_report_of_rfc_6591() -> None:
    octets = single(FAILURE, WRITER, ["f@example.com"], 1_700_000_100.0, "t2")
    message = _parsed(octets)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "feedback-report"
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "message/feedback-report", "text/rfc822-headers"]
    complaint = arf.read(tree(Draft(octets)))
    assert complaint is not None
    assert complaint.kind == "auth-failure"
    for name, value in (
        ("auth-failure", "dmarc"),
        ("reported-domain", "example.com"),
        ("delivery-result", "reject"),
        ("identity-alignment", "none"),
        ("source-ip", "192.0.2.1"),
        ("original-mail-from", "<joe@other.example>"),
        ("authentication-results", "mx.example; dmarc=fail"),
        ("dkim-domain", "other.example"),
        ("version", "1"),
    ):
        assert complaint.group.get(name) == value
    assert complaint.header is not None
    assert complaint.header.value(b"from") == b"x@example.com"


@given(st.text(max_size=50), st.text(max_size=50))
def test_nothing_a_stranger_says_makes_another_field(sender: str, results: str) -> None:
    failure = Failure(
        "example.com", "192.0.2.1", sender, (), 0.0, "reject", "none", results, b"From: x\r\n"
    )
    octets = single(failure, WRITER, ["f@example.com"], 0.0, "t3")
    complaint = arf.read(tree(Draft(octets)))
    assert complaint is not None
    assert len(complaint.group.fields) == 12
