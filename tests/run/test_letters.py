"""Mail of our own, from another process into the queue."""

from collections.abc import Sequence
from typing import Any

from angarium.core.message import Message, Notify, Recipient, Trait
from angarium.journal.errors import SpoolError
from angarium.queue.admit import Done
from angarium.run import link
from angarium.run.letters import take_in
from helpers.clock import FakeClock


class Admission:
    def __init__(self) -> None:
        self.taken: list[tuple[Message, Sequence[Recipient], Done]] = []

    def inject(self, message: Message, recipients: Sequence[Recipient], done: Done) -> None:
        self.taken.append((message, recipients, done))


def taken(content: bytes) -> tuple[Any, list[link.Posted]]:
    admission, answers = Admission(), list[link.Posted]()
    take_in(link.Post(3, ["op@example.com"], content), admission, FakeClock(), answers.append)
    return admission.taken[0], answers


def test_nobody_is_told_of_what_becomes_of_it() -> None:
    (message, [recipient], _), _ = taken(b"Subject: x\r\n\r\n.\r\n")
    assert message.sender == ""
    assert message.traits == Trait.DOTS
    assert recipient.notify == Notify.NEVER
    assert recipient.address == "op@example.com"


def test_who_wrote_it_hears_whether_it_is_on_disk() -> None:
    (_, _, done), answers = taken(b"Subject: x\r\n\r\n\r\n")
    done(None)
    done(SpoolError("the disk is full"))
    assert answers == [link.Posted(3), link.Posted(3, "the disk is full")]
