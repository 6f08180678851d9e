"""Reports which came by mail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.reply import Reply
from angarium.mail.format.draft import Draft
from angarium.mail.format.tree import tree
from angarium.mail.report.dsn import Action, Notice, Outcome, build, status_fields
from angarium.mail.report.status import read, returned

OUTCOMES = (
    Outcome("b@y.example", Action.FAILED, Reply(550, "no\nuser", "5.1.1"), "rfc822;B+2Bx@y",
            "1.2.3.4:25"),
    Outcome("ö@y.example", Action.DELAYED, Reply(451, "wait " * 40), until=1_700_000_000.0),
    Outcome("l@y.example", Action.EXPANDED, Reply(250, "ok")),
)  # fmt: skip


def notice(*outcomes: Outcome, original: bytes = b"Subject: hi\r\nTo: b@y\r\n\r\n") -> Notice:
    return Notice(
        "mx.example", "daemon@mx", "a@x.example", outcomes or OUTCOMES, 1_700_000_000.0,
        1_600_000_000.0, "t0", envid="Q+3D7", original=original, international=True,
    )  # fmt: skip


def test_our_own_reports_are_read() -> None:
    made = notice()
    found = read(tree(Draft(build(made))))
    assert found is not None
    about, *recipients = status_fields(made)
    assert list(found.message.fields) == about
    assert found.message.get("ORIGINAL-ENVELOPE-ID") == "Q=7"
    read_back = [
        [(name, " ".join(text.split())) for name, text in each.fields] for each in found.recipients
    ]
    assert read_back == [[(name, value.strip()) for name, value in each] for each in recipients]
    assert [each.address for each in found.recipients] == ["B+x@y", "ö@y.example", "l@y.example"]
    assert found.recipients[0].typed("diagnostic-code") == "550 5.1.1 no user"
    header = returned(tree(Draft(build(made))))
    assert header is not None
    assert header.value(b"subject") == b"hi"


REPORT = (
    b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n"
    b"--b\r\nContent-Type: message/delivery-status\r\n\r\n%b\r\n--b--\r\n"
)


@pytest.mark.parametrize(
    ("body", "addresses"),
    [
        (b"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; <a@b>\r\n", ["a@b"]),
        (b"Final-Recipient: rfc822;a@b\r\nAction: failed", ["a@b"]),
        (b"\r\n\r\nX: y\r\n\r\n\r\nFinal-Recipient: a@b\r\n\r\nAction: failed\r\n", ["a@b", ""]),
        (b"Reporting-MTA: dns; x\r\n", None),
        (b"no fields", None),
        (b"", None),
    ],
)
def test_reports_are_read_as_others_write_them(body: bytes, addresses: list[str] | None) -> None:
    found = read(tree(Draft(REPORT % body)))
    assert (None if found is None else [each.address for each in found.recipients]) == addresses


def test_an_encoded_part_is_decoded() -> None:
    octets = REPORT.replace(b"status\r\n", b"status\r\nContent-Transfer-Encoding: base64\r\n")
    found = read(tree(Draft(octets % b"RmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGFAYg==")))
    assert found is not None
    assert found.recipients[0].address == "a@b"


def test_other_mail_is_no_report() -> None:
    assert read(tree(Draft(b"Subject: x\r\n\r\nFinal-Recipient: rfc822; a@b"))) is None
    assert returned(tree(Draft(b"Content-Type: text/rfc822-headers\r\n\r\nA: b"))) is None


@given(
    st.lists(
        st.sampled_from(
            [
                b"\r\n",
                b"\r\n\r\n",
                b"Final-Recipient",
                b": ",
                b"rfc822;",
                b"Action: failed",
                b"\xff",
            ]
        )
    ).map(b"".join)
)
def test_any_octets_are_a_report_or_none(body: bytes) -> None:
    found = read(tree(Draft(REPORT % body)))
    if found is not None:
        assert found.recipients
