"""Where reports which a server sends end, in memory: in the place of its queue."""

from collections.abc import Sequence
from typing import Any

from angarium.core.message import Message, Recipient
from angarium.journal.errors import SpoolError


class Letterbox:
    """Takes reports, or refuses them."""

    def __init__(self) -> None:
        self.taken: list[tuple[Message, str]] = []
        self.refused: SpoolError | None = None

    def inject(self, message: Message, recipients: Sequence[Recipient], done: Any) -> None:
        if self.refused is None:
            self.taken.append((message, recipients[0].address))
        done(self.refused)
