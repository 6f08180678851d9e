"""Aggregate reports of others."""

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.draft import Draft
from angarium.mail.format.tree import tree
from angarium.mail.report.dmarc import received
from angarium.mail.report.dmarc.received import ReportError, attached, read

# As large receivers write them: with a name space, blanks, and elements nobody knows.
XML = b"""<?xml version="1.0" encoding="UTF-8" ?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0" xmlns:x="urn:x">
  <version>1.0</version> <x:new><deep>1</deep></x:new>
  <report_metadata>
    <org_name> big.example </org_name> <email>noreply@big.example</email>
    <report_id>123</report_id>
    <date_range> <begin>1700000000</begin> <end>1700086399</end> </date_range>
  </report_metadata>
  <policy_published><domain>example.com</domain><p>none</p><pct>100</pct></policy_published>
  <record>
    <row><source_ip>192.0.2.1</source_ip><count>3</count>
      <policy_evaluated><disposition>None</disposition><dkim>pass</dkim><spf>fail</spf>
        <reason><type>local_policy</type><comment>arc=pass</comment></reason>
      </policy_evaluated></row>
    <identifiers><header_from>example.com</header_from></identifiers>
    <auth_results>
      <dkim><domain>example.com</domain><selector>s</selector><result>pass</result></dkim>
      <dkim><domain>b.example</domain><result>fail</result><human_result>x</human_result></dkim>
      <spf><domain>c.example</domain><result>softfail</result></spf>
    </auth_results>
  </record>
  <record><row><source_ip>2001:db8::1</source_ip><count>x</count></row></record>
</feedback>
"""


def packed(octets: bytes, name: str = "report.xml") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("readme.txt", "no report")
        file.writestr(name, octets)
    return out.getvalue()


@pytest.mark.parametrize("octets", [XML, gzip.compress(XML), packed(XML)])
def test_a_report_is_read_packed_or_not(octets: bytes) -> None:
    report = read(octets)
    assert (report.organisation, report.report_id) == ("big.example", "123")
    assert (report.begin, report.end) == (1_700_000_000, 1_700_086_399)
    assert report.published.domain == "example.com"
    (first, count), (second, unknown) = report.rows
    assert (count, unknown) == (3, 0)
    assert (first.source_ip, first.disposition, first.dkim, first.spf) == (
        "192.0.2.1",
        "none",
        "pass",
        "fail",
    )
    assert [each.domain for each in first.signatures] == ["example.com", "b.example"]
    assert (first.spf_domain, first.spf_result) == ("c.example", "softfail")
    assert first.reasons == (("local_policy", "arc=pass"),)
    assert not second.signatures


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"text",
        b"<feedback>",
        b"<feedback/>",
        b"<other/>",
        b"\x1f\x8bxx",
        b"PK\x03\x04xx",
        XML[:500],
        b'<!DOCTYPE x [<!ENTITY a "b">]><feedback>&a;</feedback>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><feedback/>',
        b"<feedback>" + b"<a>" * 1000,
        packed(b"", "x"),
    ],
)
def test_what_is_no_report_is_told(octets: bytes) -> None:
    with pytest.raises(ReportError):
        read(octets)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = b"<feedback>" + b" " * (received.MAX_SIZE + 1)
    for octets in (gzip.compress(bomb), packed(bomb), bomb):
        with pytest.raises(ReportError, match="too large"):
            read(octets)


def test_rows_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "MAX_ROWS", 1)
    with pytest.raises(ReportError, match="too many"):
        read(XML)


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        (b"application/gzip; name=x", True),
        (b"application/octet-stream; name=x.XML.gz", True),
        (b"application/octet-stream; name=x.exe", False),
        (b"text/plain", False),
        (b"application/zip", True),
    ],
)
def test_it_is_found_in_a_message(kind: bytes, good: bool) -> None:
    octets = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhello\r\n"
        b"--x\r\nContent-Type: " + kind + b"\r\n\r\noctets\r\n--x--\r\n"
    )
    assert attached(tree(Draft(octets))) == (b"octets" if good else None)


@given(st.integers(0, len(XML)), st.integers(0, 20), st.binary(max_size=5))
def test_any_octets_are_a_report_or_an_error(at: int, cut: int, added: bytes) -> None:
    for octets in (XML[:at] + added + XML[at + cut :], added):
        for each in (octets, gzip.compress(octets)[: at or None]):
            try:
                report = read(each)
            except ReportError:
                continue
            assert report.published.domain
