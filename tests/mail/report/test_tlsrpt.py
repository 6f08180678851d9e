"""Reports of TLS: written as RFC 8460 has them, read from anybody."""

import email
import email.policy
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.report.tlsrpt import (
    MAX_OCTETS,
    Envelope,
    Failure,
    Judged,
    PolicyOf,
    Range,
    Report,
    Summary,
    TlsReportError,
    letter,
    packed,
    read,
    where,
    written,
)

# Appendix B, the example of the RFC.
EXAMPLE = {
    "organization-name": "Company-X",
    "date-range": {
        "start-datetime": "2016-04-01T00:00:00Z",
        "end-datetime": "2016-04-01T23:59:59Z",
    },
    "contact-info": "sts-reporting@company-x.example",
    "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
    "policies": [
        {
            "policy": {
                "policy-type": "sts",
                "policy-string": [
                    "version: STSv1",
                    "mode: testing",
                    "mx: *.mail.company-y.example",
                    "max_age: 86400",
                ],
                "policy-domain": "company-y.example",
                "mx-host": ["*.mail.company-y.example"],
            },
            "summary": {
                "total-successful-session-count": 5326,
                "total-failure-session-count": 303,
            },
            "failure-details": [
                {
                    "result-type": "certificate-expired",
                    "sending-mta-ip": "2001:db8:abcd:0012::1",
                    "receiving-mx-hostname": "mx1.mail.company-y.example",
                    "failed-session-count": 100,
                },
                {
                    "result-type": "starttls-not-supported",
                    "sending-mta-ip": "2001:db8:abcd:0013::1",
                    "receiving-mx-hostname": "mx2.mail.company-y.example",
                    "receiving-ip": "203.0.113.56",
                    "failed-session-count": 200,
                    "additional-information": "https://reports.company-x.example/report_info",
                },
                {
                    "result-type": "validation-failure",
                    "sending-mta-ip": "198.51.100.62",
                    "receiving-ip": "203.0.113.58",
                    "receiving-mx-hostname": "mx-backup.mail.company-y.example",
                    "failed-session-count": 3,
                    "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED",
                },
            ],
        }
    ],
}


def test_the_report_of_the_rfc_is_read_and_written_again() -> None:
    report = read(json.dumps(EXAMPLE).encode())
    assert report.policies[0].summary == Summary(5326, 303)
    assert report.policies[0].failure_details[1].receiving_ip == "203.0.113.56"
    assert json.loads(written(report)) == EXAMPLE


def test_one_with_gzip_is_read() -> None:
    packed = gzip.compress(json.dumps(EXAMPLE).encode())
    assert read(packed).organization_name == "Company-X"


def test_what_nobody_knows_is_left_alone() -> None:
    assert read(json.dumps(EXAMPLE | {"later": [1]}).encode()).contact_info != ""


def test_a_host_of_a_policy_may_be_one_text_as_many_write_it() -> None:
    report = json.loads(json.dumps(EXAMPLE))
    report["policies"][0]["policy"]["mx-host"] = "mx.example.com"
    assert read(json.dumps(report).encode()).policies[0].policy.mx_host == "mx.example.com"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"[]",
        b"\x1f\x8b",
        gzip.compress(b"{}", mtime=0),
        gzip.compress(json.dumps(EXAMPLE).encode(), mtime=0)[:-9],
        b"[" * 100_000,
        json.dumps(EXAMPLE | {"policies": 1}).encode(),
        b" " * (MAX_OCTETS + 1),
    ],
)
def test_what_is_no_report_is_an_error(document: bytes) -> None:
    with pytest.raises(TlsReportError):
        read(document)


def test_a_report_which_unpacks_without_end_is_given_up() -> None:
    with pytest.raises(TlsReportError, match="too long when it is unpacked"):
        read(gzip.compress(b" " * (MAX_OCTETS * 2)))


@pytest.mark.parametrize(
    ("records", "places"),
    [
        ([b"v=TLSRPTv1;rua=mailto:reports@example.com"], ("mailto:reports@example.com",)),
        (
            [b"v=TLSRPTv1; rua=mailto:a@b.example, https://b.example/v1/tlsrpt ;"],
            ("mailto:a@b.example", "https://b.example/v1/tlsrpt"),
        ),
        ([b"v=TLSRPTv1; rua=ftp://b.example,mailto:,https:b,mailto:@"], ()),
        ([b"v=TLSRPTv1; rua=mailto:a@b", b"v=TLSRPTv1; rua=mailto:c@d"], ()),
        ([b"v=spf1 -all", b"v=TLSRPTv1; later=1; rua=mailto:a@b"], ("mailto:a@b",)),
        ([b"v=TLSRPTv1"], ()),
        ([b"v=TLSRPTv1; rua"], ()),
        ([b"v=TLSRPTv1; rua=mailto:\xff@b"], ()),
        ([], ()),
    ],
)
def test_a_domain_says_where_it_wants_them(records: list[bytes], places: tuple[str, ...]) -> None:
    assert where(records) == places


@given(st.binary(max_size=400))
def test_any_octets_are_a_report_or_an_error(document: bytes) -> None:
    for given_octets in (document, b"\x1f\x8b\x08" + document, b"{" + document):
        try:
            assert written(read(given_octets))
        except TlsReportError:
            continue


TEXTS = st.text(max_size=20)


@given(
    st.builds(
        Report,
        TEXTS,
        st.builds(Range, TEXTS, TEXTS),
        TEXTS,
        st.lists(
            st.builds(
                Judged,
                st.builds(PolicyOf, TEXTS, TEXTS, st.lists(TEXTS, max_size=3).map(tuple)),
                st.builds(Summary, st.integers(0, 9), st.integers(0, 9)),
                st.lists(st.builds(Failure, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple),
            ),
            max_size=2,
        ).map(tuple),
    )
)
def test_what_is_written_is_read_as_it_was(report: Report) -> None:
    assert read(written(report)) == report


def test_a_report_travels_in_a_message_and_comes_out_as_it_was() -> None:
    report = read(json.dumps(EXAMPLE).encode())
    begin = 1459468800
    envelope = Envelope(
        "mx.company-x.example", "tls@company-x.example", "tls@company-y.example",
        "company-y.example", begin, begin + 86399, begin + 90000.0, "token",
    )  # fmt: skip
    octets = letter(report, packed(report, begin), envelope)
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "tlsrpt"
    _, attached = message.iter_parts()
    assert attached.get_content_type() == "application/tlsrpt+gzip"
    assert attached.get_filename() == (
        "mx.company-x.example!company-y.example!1459468800!1459555199.json.gz"
    )
    unpacked = attached.get_payload(decode=True)
    assert isinstance(unpacked, bytes)
    assert read(unpacked) == report
    assert packed(report, begin) == packed(report, begin)
