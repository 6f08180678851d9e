"""Results of attempts which nobody looks at."""

from angarium.core.reply import Reply
from angarium.journal.errors import DamageError
from angarium.outbound.errors import DeliveryError
from angarium.queue.entry import Entry


class NoResults:
    def delivered(
        self, entry: Entry, remote: str, connection: int, reply: Reply, size: int, **_: object
    ) -> None:
        """The peer took it."""

    def failed(self, entry: Entry, error: DeliveryError, kind: str = "bounced") -> None:
        """It failed."""

    def damaged(self, entry: Entry, error: DamageError) -> None:
        """The disk did not give it."""
