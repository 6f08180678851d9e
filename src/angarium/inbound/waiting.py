"""A session of reception which waits for somebody: for policy, or for who knows a password.

The rule which keeps it simple: what has to wait is one coroutine at a time. While it waits the peer
is not answered, so nothing else happens here; it ends with the session.
"""

from collections.abc import Coroutine
from typing import Any

from angarium.core.reply import Reply
from angarium.inbound.services import Services
from angarium.inbound.smtp import SmtpSession
from angarium.policy.going import Going, begun


class WaitingSession(SmtpSession):
    """One connection."""

    __slots__ = ("_going",)

    def __init__(self, services: Services, listen: str) -> None:
        super().__init__(services, listen)
        self._going: Going | None = None

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        """Do a step; when it has to wait the peer waits too."""
        going = begun(work, self._gone)
        if going is not None:
            self._going = going

    def _gone(self) -> None:
        self._going = None
        self.pump()

    def lost(self, error: Exception | None) -> None:
        if self._going is not None:
            self._going.stop()
        super().lost(error)

    def _leave(self, reply: Reply, phase: int) -> None:
        if self._going is not None:
            self._going.stop()
        super()._leave(reply, phase)
