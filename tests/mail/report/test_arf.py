"""Reports of abuse."""

from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.draft import Draft
from angarium.mail.format.tree import tree
from angarium.mail.report.arf import read

REPORT = (
    b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
    b"--b\r\n\r\nfor people\r\n"
    b"--b\r\nContent-Type: message/feedback-report\r\n\r\n%b\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nTo: Bob <b@y.example>\r\nX-Id: 1\r\n\r\nx\r\n--b--"
)


def test_a_complaint_is_read() -> None:
    body = b"Feedback-Type: Abuse\r\nUser-Agent: x/1\r\nOriginal-Rcpt-To: <c@y.example>\r\n"
    found = read(tree(Draft(REPORT % body)))
    assert found is not None
    assert (found.kind, found.recipient) == ("abuse", "c@y.example")
    assert found.group.get("user-agent") == "x/1"
    assert found.header is not None
    assert found.header.value(b"x-id") == b"1"


def test_who_complains_may_stand_in_the_message_only() -> None:
    found = read(tree(Draft(REPORT % b"Feedback-Type: fraud\r\n")))
    assert found is not None
    assert found.recipient == "b@y.example"
    alone = b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: other"
    found = read(tree(Draft(alone)))
    assert found is not None
    assert (found.header, found.recipient) == (None, "")


def test_other_mail_is_no_complaint() -> None:
    assert read(tree(Draft(REPORT % b"User-Agent: x"))) is None
    assert read(tree(Draft(b"Feedback-Type: abuse\r\n\r\n"))) is None


@given(st.binary(max_size=80))
def test_any_octets_are_a_complaint_or_none(body: bytes) -> None:
    found = read(tree(Draft(REPORT % body)))
    assert found is None or found.kind
