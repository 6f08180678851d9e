"""Why nobody can say who a client is."""

from angarium.core.errors import Error
from angarium.core.reply import Reply


class TroubleError(Error):
    """It cannot be found out now: the client is told to try again, and we are told why."""


class AnsweredError(Error):
    """Who was asked has refused, with an answer of its own."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("refused with an answer")
        self.reply = reply
