"""Aggregate reports, written."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.report.dmarc.aggregate import (
    Published,
    Report,
    Row,
    Signature,
    file_name,
    written,
)
from angarium.mail.report.dmarc.received import read

ROW = Row(
    "192.0.2.1",
    "quarantine",
    "fail",
    "pass",
    "example.com",
    "bounce.example.com",
    "bounce.example.com",
    "pass",
    "mfrom",
    (Signature("other.example", "s1", "fail"),),
    (("sampled_out", "a & b"),),
)
REPORT = Report(
    "Us & Them",
    "dmarc@mx.example",
    "id-1",
    1_700_000_000,
    1_700_086_399,
    Published("example.com", "reject", "quarantine", "s", "r", "50", "1:d", "none"),
    ((ROW, 7),),
    "https://mx.example/",
    ("one day",),
)


def test_the_elements_are_those_of_the_rfc() -> None:
    root = ElementTree.fromstring(written(REPORT))
    assert root.tag == "feedback"
    assert [each.tag for each in root] == [
        "version",
        "report_metadata",
        "policy_published",
        "record",
    ]
    assert root.findtext("report_metadata/org_name") == "Us & Them"
    assert root.findtext("report_metadata/date_range/begin") == "1700000000"
    assert root.findtext("policy_published/sp") == "quarantine"
    assert root.findtext("record/row/count") == "7"
    assert root.findtext("record/row/policy_evaluated/reason/type") == "sampled_out"
    assert root.findtext("record/identifiers/header_from") == "example.com"
    assert root.findtext("record/auth_results/dkim/selector") == "s1"
    assert root.findtext("record/auth_results/spf/scope") == "mfrom"


def test_the_file_is_named_by_who_about_whom_and_when() -> None:
    assert file_name(REPORT, "mx.example") == (
        "mx.example!example.com!1700000000!1700086399.xml.gz"
    )


def test_what_is_written_is_read() -> None:
    assert read(written(REPORT)) == REPORT


@given(st.text(max_size=300), st.text(max_size=300))
def test_nothing_a_stranger_says_breaks_the_file(domain: str, selector: str) -> None:
    row = Row(
        "192.0.2.1",
        "none",
        "pass",
        "fail",
        domain,
        signatures=(Signature(domain, selector, "pass"),),
    )
    report = Report(domain, selector, "1", 0, 1, Published("example.com"), ((row, 1),))
    found = read(written(report))
    assert len(found.rows) == 1
    assert len(found.rows[0][0].signatures) == 1
