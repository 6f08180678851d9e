"""What sessions share has an answer where nothing was handed in."""

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from helpers.reception import Desk


def test_without_policy_nobody_is_asked_and_nothing_is_reported() -> None:
    services = Desk().services
    assert not services.policing.policy
    message = Message("a@x.test", MemoryBody(b""))
    assert services.report(message, Recipient("b@y.test", "y.test"), Reply(550, "no")) is None
