"""The lines of the text logs, octet for octet as the parsers of Momentum's users know them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.ident import parse
from angarium.events import format as lines
from angarium.events.schema import (
    Delivery,
    Discard,
    Event,
    Heartbeat,
    PermanentFailure,
    Reception,
    Rejection,
    Transfer,
    TransientFailure,
)


def ident(text: str) -> int:
    found = parse(text)
    assert found is not None
    return found


BATCH = ident("00/00-03736-F4101B54")
CONNECTION = ident("00/00-04532-A3456B54")
ENVELOPE = ("bob@example.fict", "info@postalengine.com", "example.fict")


def reception(**changes: object) -> Reception:
    fields: dict[str, object] = {
        "at": 1064868656.7,
        "id": ident("00/00-25004-31B987F3"),
        "batch": BATCH,
        "connection": CONNECTION,
        "rcpt": "bob@example.fict",
        "sender": "info@postalengine.com",
        "domain": "example.fict",
        "source": "10.0.1.1:41234",
        "size": 201,
        "protocol": "esmtp",
        "pathway": "default",
        "group": "default",
        "binding": "default",
    }
    return Reception(**fields | changes)  # type: ignore[arg-type]


def delivery(cls: type[Delivery | Transfer] = Delivery, **changes: object) -> Delivery | Transfer:
    fields: dict[str, object] = {
        "at": 1064871280.893,
        "id": ident("20/00-25593-945A87F3"),
        "batch": BATCH,
        "connection": CONNECTION,
        "attempt": 0,
        "rcpt": "jane@postalengine.com",
        "sender": "info@example.fict",
        "domain": "postalengine.com",
        "size": 266,
        "group": "group-a",
        "binding": "binding-a",
        "received_at": 1064871280.5,
        "remote": "10.0.0.1:25",
        "reply": "250 2.0.0 queued",
    }
    return cls(**fields | changes)  # type: ignore[arg-type]


def permanent(**changes: object) -> PermanentFailure:
    fields: dict[str, object] = {
        "at": 1064870847.39,
        "id": ident("10/00-25593-393A87F3"),
        "batch": BATCH,
        "connection": CONNECTION,
        "attempt": 1,
        "rcpt": "johndoe@example.fict",
        "sender": "info@postalengine.com",
        "domain": "postalengine.com",
        "bytes_sent": 31,
        "size": 1223,
        "group": "group-a",
        "binding": "binding-a",
        "received_at": 1064870843.5,
        "remote": "10.0.0.1:25",
        "stage": 5,
        "reason": "552 No such account",
        "classification": 24,
    }
    return PermanentFailure(**fields | changes)  # type: ignore[arg-type]


TRANSIENT = TransientFailure(
    1064869327.03,
    ident("00/00-25593-CBD987F3"),
    BATCH,
    CONNECTION,
    0,
    *ENVELOPE,
    0,
    201,
    "group-a",
    "binding-a",
    1064869308.5,
    "10.0.0.1:25",
    15,
    "421 no adequate servers",
    1064870500.0,
)
DISCARD = Discard(
    1064869327.0,
    ident("00/00-25593-CBD987F3"),
    BATCH,
    0,
    0,
    *ENVELOPE,
    201,
    "default",
    "default",
    1064869327.0,
    "550 5.7.1 [internal] discarded by policy",
)
REJECTION = Rejection(
    1236672125.2,
    "10.79.25.142:42601",
    "10.79.25.142:25",
    ident("18/00-07149-D7E16B94"),
    "default",
    "default",
    4,
    550,
    "scriptlet",
    {"pathway": "default", "ehlo_string": "EHLO rh52-node1", "ehlo_domain": "rh52-node1"},
    {"mailfrom_domain": "", "mailfrom_string": "MAIL FROM:<>", "mailfrom_localpart": ""},
    "relaying denied",
)

R = (
    "1064868656@00/00-25004-31B987F3@00/00-03736-F4101B54@00/00-04532-A3456B54"
    "@R@bob@example.fict@info@postalengine.com@10.0.1.1@201@esmtp@default@default"
)
D = (
    "1064871280@20/00-25593-945A87F3@00/00-03736-F4101B54@00/00-04532-A3456B54"
    "@D@postalengine.com@266@group-a@binding-a@0@0.393@10.0.0.1"
)
T = (
    "1064869327@00/00-25593-CBD987F3@00/00-03736-F4101B54@00/00-04532-A3456B54"
    "@T@example.fict@0@group-a@binding-a@15@0@18.53@10.0.0.1@421 no adequate servers"
)
P = (
    "1064870847@10/00-25593-393A87F3@00/00-03736-F4101B54@00/00-04532-A3456B54"
    "@P@postalengine.com@31@group-a@binding-a@5@1@3.89@10.0.0.1@552 No such account"
)
P_DISCARD = (
    "1064869327@00/00-25593-CBD987F3@00/00-03736-F4101B54@00/00-00000-00000000"
    "@P@example.fict@0@default@default@0@0@0.00@@550 5.7.1 [internal] discarded by policy"
)
MAINLOG = [
    (reception(), R),
    (
        reception(source="", protocol="internal"),
        R.replace("10.0.1.1", "").replace("esmtp", "internal"),
    ),
    (delivery(), D),
    (delivery(Transfer), D.replace("@D@", "@X@")),
    (TRANSIENT, T),
    (permanent(), P),
    (DISCARD, P_DISCARD),
    (Heartbeat(1251470342.0), "1251470342@@@@M"),
    (
        reception(source="", protocol="rest"),
        R.replace("10.0.1.1@201@esmtp", "unknown@201@rest"),
    ),
    (reception(source="[2001:db8::1]:25"), R.replace("10.0.1.1", "2001:db8::1")),
    (reception(sender=""), R.replace("info@postalengine.com", "@")),
    (reception(rcpt="postmaster"), R.replace("bob@example.fict", "postmaster@")),
    (reception(rcpt='"a@b\\ c"@example.fict'), R.replace("bob@", '"a\\@b\\\\ c"@')),
    (reception(rcpt="Jörg@example.fict"), R.replace("bob", "Jörg")),
    (reception(rcpt="J@ö@example.fict"), R.replace("bob", "J\\@ö")),
    (reception(binding="b@1"), R[: -len("default")] + "b@1"),
    (reception(group="g@1"), R.replace("default@default", "g\\@1@default")),
    (delivery(received_at=1064871281.0), D.replace("0.393", "0.00")),
    (delivery(remote=""), D.replace("10.0.0.1", "")),
    (
        permanent(reason="550 <johndoe@example.fict> unknown"),
        P.replace("552 No such account", "550 <johndoe@example.fict> unknown"),
    ),
    (
        permanent(reason="550 a\r\nb\tc\x07d\\e\x7f\u0085\u2028"),
        P.replace("552 No such account", r"550 a\r\nb\tc\x07d\\e\x7f\x85\u2028"),
    ),
    (permanent(reason="550 \\@"), P.replace("552 No such account", r"550 \\@")),
]
B = (
    "1064870847@10/00-25593-393A87F3@00/00-03736-F4101B54@00/00-04532-A3456B54@B@johndoe"
    "@example.fict@info@postalengine.com@group-a@binding-a@21@24@1223@10.0.0.1"
    "@554 5.4.7 [internal] exceeded max time without delivery"
)
BOUNCELOG = [
    (permanent(stage=21, reason="554 5.4.7 [internal] exceeded max time without delivery"), B),
    (
        TRANSIENT,
        "1064869327@00/00-25593-CBD987F3@00/00-03736-F4101B54@00/00-04532-A3456B54@T@bob"
        "@example.fict@info@postalengine.com@group-a@binding-a@15@70@201@10.0.0.1"
        "@421 no adequate servers",
    ),
    (Heartbeat(1251222268.0), "1251222268@@@@M1"),
]


@pytest.mark.parametrize(("event", "expected"), MAINLOG, ids=[each[1][:90] for each in MAINLOG])
def test_lines_of_mainlog(event: Event, expected: str) -> None:
    fields = lines.MAINLOG[type(event)](event, lines.seconds(event.at))
    assert lines.line(fields).decode() == expected


@pytest.mark.parametrize(("event", "expected"), BOUNCELOG)
def test_lines_of_bouncelog(event: Event, expected: str) -> None:
    fields = lines.BOUNCELOG[type(event)](event, lines.seconds(event.at))
    assert lines.line(fields).decode() == expected


def test_a_line_of_rejectlog() -> None:
    assert lines.rejection(REJECTION, "1236672125") == (
        '1236672125: R="10.79.25.142:42601" L="10.79.25.142:25" C="18/00-07149-D7E16B94"'
        ' PATH="default" PATH_GRP="default" P="awaiting mailfrom" E=550 M=scriptlet'
        ' CTXCONN=[pathway=default,ehlo_string="EHLO rh52-node1",ehlo_domain=rh52-node1]'
        ' CTXMESS=[mailfrom_domain=,mailfrom_string="MAIL FROM:<>",mailfrom_localpart=]'
        " relaying denied"
    )


def test_a_peer_cannot_forge_a_line_or_a_field_of_rejectlog() -> None:
    forged = Rejection(
        1.0, "", "", 0, 'a"b', "", 99, 500, "x", {"k,]": 'v"\\\n,]'}, {}, "no\r\n2: Marker 1"
    )
    assert lines.rejection(forged, "1") == (
        r'1: R="" L="" C="00/00-00000-00000000" PATH="a\"b" PATH_GRP="" P="99" E=500 M=x'
        r' CTXCONN=["k,]"="v\"\\\n,]"] CTXMESS=[] no\r\n2: Marker 1'
    )


def test_the_marker_of_rejectlog() -> None:
    assert lines.marker("1252064908") == "1252064908: Marker 1"


def test_a_line_of_paniclog_is_one_line() -> None:
    assert lines.panic("1307461172", "scriptlet", "a\nb") == r"1307461172:scriptlet: a\nb"


def test_times_with_log_hires_timestamp_have_sixteen_digits() -> None:
    assert lines.microseconds(1064868656.123456) == "1064868656123456"
    assert lines.microseconds(1064868656.0) == "1064868656000000"


@pytest.mark.parametrize(
    ("elapsed", "printed"),
    [(0.393, "0.393"), (18.53, "18.53"), (3.9, "3.90"), (0.0, "0.00"), (-5.0, "0.00")],
)
def test_durations_have_two_decimals_or_three(elapsed: float, printed: str) -> None:
    assert lines.duration(elapsed) == printed


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("192.0.2.1:25", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:db8::1]:25", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("", ""),
    ],
)
def test_the_address_of_an_endpoint(endpoint: str, address: str) -> None:
    assert lines.host(endpoint) == address


UNESCAPED = {r"\\": "\\", r"\@": "@", r"\n": "\n", r"\r": "\r", r"\t": "\t"}


def unescape(field: str) -> str:
    """What a reader does to a field."""
    return re.sub(
        r"\\(?:x(..)|u(....)|.)",
        lambda found: UNESCAPED.get(found[0]) or chr(int(found[1] or found[2], 16)),
        field,
    )


@given(st.lists(st.text(max_size=8), min_size=1, max_size=16))
def test_a_reader_gets_the_fields_back(fields: list[str]) -> None:
    written = lines.line(tuple(fields)).decode()
    assert len(written.splitlines()) <= 1
    read = []
    rest = written
    for _ in fields[1:]:
        taken = re.match(r"((?:[^@\\]|\\.)*)@", rest)
        assert taken
        read.append(unescape(taken[1]))
        rest = rest[taken.end() :]
    assert [*read, unescape(rest)] == fields


@given(st.text(max_size=40))
def test_any_text_is_one_line_of_rejectlog(text: str) -> None:
    event = Rejection(1.0, text, text, 1, text, text, 0, 550, text, {text: text}, {}, text)
    assert len(lines.rejection(event, "1").splitlines()) == 1
