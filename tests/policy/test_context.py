"""What policy knows of a session."""

from angarium.core.reply import Reply
from angarium.policy.context import Session


def test_a_client_is_trusted_by_its_variable() -> None:
    session = Session()
    assert not session.trusted
    session.variables["can_relay"] = "true"
    assert session.trusted


def test_a_refusal_keeps_that_it_is_to_hang_up() -> None:
    session = Session()
    session.refuse(Reply(450, "later"), disconnect=True)
    session.refuse(Reply(550, "no"))
    assert session.refused
    assert session.disconnect
    session.reply = Reply(250, "yes")
    assert not session.refused
