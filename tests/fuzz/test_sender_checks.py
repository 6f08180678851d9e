"""What strangers publish and send, in the hands of SPF and DMARC: never an exception.

Short in CI; `make fuzz` runs it long.
"""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.asking import NameTrouble, NoSuchName, at_once
from angarium.mail.auth.dmarc.evaluate import Proven, authors, evaluate_all
from angarium.mail.auth.spf.check import check_host
from angarium.mail.auth.spf.client import Client, client_address
from angarium.mail.auth.spf.received import received_spf
from angarium.mail.auth.zonefile import Zone, ZoneError
from angarium.mail.format.header import Header
from angarium.mail.report.dmarc.received import ReportError, read
from helpers.zones import Records

POLICY = (
    b"v=spf1 a:%{l1r-}.b.example/24//64 mx ptr:%{p} ip4:192.0.2.0/24 ip6:2001:db8::/32"
    b" include:b.example ?exists:%{ir}.%{v}._x.%{d2} redirect=%{d}.b.example exp=why.%{o}"
)
RECORD = (
    b"v=DMARC1; p=reject; sp=none; np=quarantine; pct=50; fo=1:d; rua=mailto:a%2Cb@c.example!10m,x"
)
REPORT = (
    b'<?xml version="1.0"?><feedback xmlns="urn:x"><report_metadata><org_name>a</org_name>'
    b"<date_range><begin>1</begin><end>2</end></date_range></report_metadata>"
    b"<policy_published><domain>a.example</domain></policy_published><record><row>"
    b"<source_ip>::1</source_ip><count>2</count><policy_evaluated><dkim>pass</dkim>"
    b"</policy_evaluated></row><auth_results><dkim><domain>d</domain></dkim></auth_results>"
    b"</record></feedback>"
)
ZONE = b'$ORIGIN a.example.\n@ 300 IN TXT ( "v=spf1" "-all" ) ; x\nb MX 10 c\n*.d A 192.0.2.1\n'
BITS = [b"%", b"{", b"}", b"/", b"//", b":", b"=", b" ", b"\0", b"\xff", b";", b"<", b">", b"&"]
EDITS = st.lists(
    st.tuples(
        st.integers(0, 400), st.integers(0, 5), st.sampled_from(BITS) | st.binary(max_size=3)
    ),
    max_size=6,
)
Edits = list[tuple[int, int, bytes]]


def edited(octets: bytes, edits: Edits) -> bytes:
    for at, removed, added in edits:
        place = at % (len(octets) + 1)
        octets = octets[:place] + added + octets[place + removed :]
    return octets


@given(EDITS, EDITS, st.text(max_size=40), st.text(max_size=40))
def test_a_spoilt_policy_has_a_result(one: Edits, other: Edits, sender: str, helo: str) -> None:
    zone = Records(
        {
            "a.example": [
                ("TXT", edited(POLICY, one)),
                ("A", "192.0.2.1"),
                ("MX", (1, "b.example")),
            ],
            "b.example": [("TXT", edited(POLICY, other)), ("TIMEOUT", "")],
            "why.a.example": [("TXT", edited(b"%{s} %{p} %{t} %{C}", other))],
            "9.2.0.192.in-addr.arpa": [("PTR", "a.example")],
        }
    )
    client = Client(client_address("192.0.2.9"), helo, f"{sender}@a.example")
    finding = at_once(check_host(zone, client))
    assert finding.explanation.isascii()
    assert Header(received_spf(finding, client, "mx.example")).names == [b"received-spf"]


@given(EDITS, st.binary(max_size=60))
def test_a_spoilt_record_of_dmarc_has_a_result(edits: Edits, author: bytes) -> None:
    zone = Records({"_dmarc.a.example": [("TXT", edited(RECORD, edits))]})
    at_once(evaluate_all(zone, authors([author, b"x@a.example"]), Proven("b.example")))
    at_once(evaluate_all(zone, ["a.example"], Proven("b.example"), 99))


@given(EDITS)
def test_a_spoilt_report_is_read_or_refused(edits: Edits) -> None:
    with contextlib.suppress(ReportError):
        read(edited(REPORT, edits))


@given(EDITS)
def test_a_spoilt_zone_is_read_or_refused(edits: Edits) -> None:
    text = edited(ZONE, edits).decode("utf-8", "surrogateescape")
    with contextlib.suppress(ZoneError, NoSuchName, NameTrouble):
        at_once(Zone(text)("b.a.example", "MX"))
