"""Mail which waits because somebody says so."""

from collections.abc import Iterator
from typing import cast

from angarium.core.reply import Reply
from angarium.outbound.errors import DeliveryError
from angarium.outbound.putting_off import PuttingOff
from angarium.outbound.settle import Settle
from angarium.queue.entry import Entry
from helpers.queues import Queues


class FakeSettle:
    def __init__(self, queues: Queues) -> None:
        self.queues = queues
        self.reported: dict[int, Entry] = {}
        self.failures: list[tuple[str, str]] = []

    def failed(self, entry: Entry, error: DeliveryError) -> None:
        self.failures.append((entry.line.domain, str(error.reply)))
        self.queues.defer(entry, 600)


class Hands:
    def in_hands(self) -> Iterator[list[Entry]]:
        yield []


def test_the_active_mail_of_a_domain_is_delayed_and_no_other() -> None:
    queues = Queues()
    line = queues.put("a.test", "a.test", binding="b1")
    other = queues.put("b.test")
    queues.defer(line.take(1)[0], 600)
    settle = FakeSettle(queues)
    put_off = PuttingOff(queues.board, cast(Settle, settle), Hands(), lambda: [queues.spool.live])
    put_off("a.test", Reply(451, "[internal] not now", "4.4.1"))
    while queues.board.work():
        pass
    assert settle.failures == [("a.test", "451 4.4.1 [internal] not now")]
    assert (line.active, line.delayed) == (0, 2)
    assert other.active == 1
