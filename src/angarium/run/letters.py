"""Mail of our own which another process wrote, on its way into the queue: that of an alert.

It has the null sender, so nothing is ever reported about it, and no loop can begin here.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from angarium.core.body import MemoryBody
from angarium.core.clock import Clock
from angarium.core.message import Message, Notify, Recipient, Trait
from angarium.journal.errors import SpoolError
from angarium.outbound.bounce import INTERNAL
from angarium.queue.admit import Done
from angarium.run import link


class Admission(Protocol):
    """Where mail becomes ours."""

    def inject(self, message: Message, recipients: Sequence[Recipient], done: Done) -> None: ...


def take_in(
    mail: link.Post, admit: Admission, clock: Clock, answer: Callable[[link.Posted], None]
) -> None:
    """Take it in, and answer when it is on disk, or why it is not."""
    message = Message(
        "",
        MemoryBody(mail.content),
        traits=Trait.DOTS if b"\r\n." in mail.content else Trait.NONE,
        protocol=INTERNAL,
        received_at=clock.time(),
    )
    recipients = [Recipient(each, "", notify=Notify.NEVER) for each in mail.recipients]
    admit.inject(message, recipients, partial(_answer, mail.number, answer))


def _answer(number: int, answer: Callable[[link.Posted], None], refused: SpoolError | None) -> None:
    answer(link.Posted(number, "" if refused is None else str(refused)))
