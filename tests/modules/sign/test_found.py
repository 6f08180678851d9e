"""What modules have found about a message."""

from angarium.core.body import MemoryBody
from angarium.core.message import Message
from angarium.mail.auth.results import Result
from angarium.modules.sign.found import found_of
from angarium.policy.context import Session
from angarium.policy.mail import Mail

HEADER = (
    b"Authentication-Results: mx.example; spf=pass\r\n"
    b"Authentication-Results: other.example; dkim=pass\r\n"
    b"Authentication-Results: ; (\r\n"
    b"Authentication-Results:\r\n\tMX.Example 1; dmarc=pass\r\n"
    b"From: a@b.example\r\n\r\ntext\r\n"
)


def _session() -> Session:
    session = Session()
    session.mail = Mail(Message("a@b.example", MemoryBody(HEADER)), [], session)
    return session


def test_there_is_one_for_each_message() -> None:
    session = _session()
    found = found_of(session)
    assert found_of(session) is found
    assert session.mail is not None
    view = Mail(session.mail.message, [], session)
    assert found_of(session, view) is found
    before, session.mail = session.mail, _session().mail
    assert found_of(session) is not found
    assert found_of(session).mail is not before


def test_what_claims_to_be_ours_is_removed_once_and_ours_is_put_before_it() -> None:
    session = _session()
    assert session.mail is not None
    found = found_of(session)
    found.report(session.mail, "mx.example", [Result("spf", "fail")])
    found.report(session.mail, "mx.example", [Result("dkim", "none")])
    assert session.mail.draft.values("authentication-results") == [
        b"mx.example;\tdkim=none",
        b"mx.example;\tspf=fail",
        b"other.example; dkim=pass",
    ]
