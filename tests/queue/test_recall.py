"""What left memory comes back, from the cache, from the disk, or not at all."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from angarium.core.errors import Error
from angarium.queue.line import COLD, Line
from angarium.queue.recall import AGAIN_SECONDS
from angarium.queue.spool.options import Spooling
from helpers.queues import Queues


class Kept(Queues):
    """Queues whose mail is on disk only; `tasks` are the reads a thread would do."""

    def __init__(self, **shape: Any) -> None:
        self.tasks: list[Coroutine[Any, Any, None]] = []
        self.told: list[int] = []
        super().__init__(max_resident_active_queue=0, **shape)
        self.board.recall.unreadable = self.tell
        self.board.recall.spawn = self.tasks.append

    def tell(self, ident: int, error: Error) -> None:
        self.told.append(ident)

    def read(self) -> None:
        tasks, self.tasks = self.tasks, []
        for task in tasks:
            asyncio.run(task)


def test_what_is_in_the_page_cache_is_taken_at_once() -> None:
    queues = Kept()
    line = queues.put("a.test", "a.test")
    assert len(line.take(9)) == 2
    assert queues.tasks == []


def test_what_is_cold_closes_the_line_until_a_thread_has_read_it() -> None:
    queues = Kept()
    line = queues.put_many(3)
    idents = list(queues.spool.live)
    queues.spool.cold.update(idents)
    assert line.take(9) == []
    assert (line.closed, len(queues.tasks)) == (COLD, 1)
    assert line.take(9) == []
    assert len(queues.tasks) == 1
    queues.demands.clear()
    queues.read()
    assert (queues.spool.cold, queues.demands) == (set(), [line])
    assert [entry.id for _ in idents for entry in line.take(1)] == idents


def test_a_batch_ends_before_what_is_cold() -> None:
    queues = Kept()
    line = queues.put(*["a.test"] * 4)
    queues.spool.cold.update(list(queues.spool.live)[2:])
    assert len(line.take(9)) == 2
    assert line.take(9) == []
    queues.read()
    assert len(line.take(9)) == 2
    assert queues.counts(line) == (0, 0, 4)


def test_what_the_cache_loses_again_is_read_all_the_same() -> None:
    queues = Kept()
    line = queues.put("a.test")
    (ident,) = queues.spool.live
    queues.spool.cold.add(ident)
    assert line.take(9) == []
    queues.read()
    queues.spool.cold.add(ident)
    assert len(line.take(9)) == 1


def test_without_tasks_every_read_may_wait() -> None:
    queues = Kept()
    queues.board.recall.spawn = None
    line = queues.put("a.test")
    queues.spool.cold.update(queues.spool.live)
    assert len(line.take(9)) == 1


def test_what_is_damaged_is_put_aside_and_told() -> None:
    queues = Kept()
    line = queues.put_many(2)
    damaged = min(queues.spool.live)
    queues.spool.damaged.add(damaged)
    assert len(line.take(9)) == 1
    assert (queues.told, queues.spool.isolated) == ([damaged], [damaged])
    assert queues.counts(line) == (0, 0, 1)
    assert queues.board.active == 0


def test_what_is_damaged_ends_where_an_operator_wants_it_so() -> None:
    queues = Kept()
    ended: list[tuple[int, Line, int]] = []
    queues.board.recall.discard = lambda *what: ended.append(what)
    queues.configuration.tops[Spooling] = Spooling.make(unlink_on_spool_in_failure=True)
    queues.board.configure(queues.configuration)
    line = queues.put_many(2)
    damaged = min(queues.spool.live)
    queues.spool.damaged.add(damaged)
    assert len(line.take(9)) == 1
    assert (ended, queues.told, queues.spool.isolated) == ([(damaged, line, 0)], [damaged], [])


def test_where_the_disk_failed_it_is_tried_again_later() -> None:
    queues = Kept()
    line = queues.put_many(2)
    broken = min(queues.spool.live)
    queues.spool.broken.add(broken)
    assert len(line.take(9)) == 1
    assert (queues.told, queues.counts(line)) == ([broken], (0, 1, 1))
    queues.spool.broken.clear()
    queues.later(AGAIN_SECONDS + 1)
    assert [entry.id for entry in line.take(9)] == [broken]


def test_an_entry_can_be_put_aside_wherever_it_waits() -> None:
    queues = Kept()
    line = queues.put_many(3)
    (entry,) = line.take(1)
    queues.defer(entry, 100)
    queues.board.isolate(entry.id)
    assert (line.delayed, len(queues.board.timer)) == (0, 0)
    active = min(queues.spool.live)
    queues.board.isolate(active)
    assert len(line.take(9)) == 1
    assert queues.counts(line) == (0, 0, 1)
    assert queues.spool.isolated == [entry.id, active]
