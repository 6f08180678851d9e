"""The words of the client: what is asked, and where a session is then."""

from angarium.wire.smtp_asked import STAGES, Asked
from angarium.wire.smtp_transaction import Stage


def test_each_question_has_its_stage() -> None:
    assert len(STAGES) == len(Asked)
    assert STAGES[Asked.STARTTLS] is Stage.STARTTLS
    assert STAGES[Asked.QUIT] is Stage.IDLE
