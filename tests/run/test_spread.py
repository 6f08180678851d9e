"""Workers of a node which share, each with a socket of its own, in one loop."""

import asyncio
import os
import socket
import stat
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from angarium.net.loop import RealClock
from angarium.outbound.broken import Broken
from angarium.policy.shared.blocks import packed
from angarium.policy.shared.node import Shared
from angarium.policy.shared.told import PIECE
from angarium.run import spread
from angarium.run.spread import BURST, FOLDER, QUEUE, Spread

A = packed("10.0.0.1")


class Node:
    """Workers in one process."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.workers: dict[int, tuple[Shared, Spread]] = {}
        self.joined: list[int] = []

    def worker(self, number: int) -> Shared:
        shared = Shared(RealClock(), number)
        made = Spread(shared, self.run, asyncio.get_running_loop())
        shared.when_known(lambda: self.joined.append(number))
        self.workers[number] = shared, made
        return shared

    def counting(self, number: int) -> Shared:
        shared = self.worker(number)
        shared.define_series("s", "cidr", 3600, 2)
        return shared

    def spread(self, number: int) -> Spread:
        return self.workers[number][1]

    def deafen(self, number: int) -> Callable[[], None]:
        """Let a worker hear nothing; return what lets it hear again."""
        made, loop = self.spread(number), asyncio.get_running_loop()
        inbox = made._inbox
        assert inbox is not None
        loop.remove_reader(inbox)
        return lambda: loop.add_reader(inbox, made._read)

    def kill(self, number: int) -> None:
        """Let a worker vanish, as SIGKILL does: nothing is told, its socket stays in its folder."""
        made = self.spread(number)
        assert made._inbox is not None
        asyncio.get_running_loop().remove_reader(made._inbox)
        made._inbox.close()
        for timer in (made._flushing, made._looking):
            if timer is not None:
                timer.cancel()
        for each in made.siblings.values():
            each.end.close()
        os.close(made._directory)
        made._inbox = None
        del self.workers[number]

    def close(self) -> None:
        for _, made in self.workers.values():
            made.close()


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    made = Node(tmp_path)
    yield made
    made.close()


async def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.005)


async def test_nothing_is_open_before_something_is_defined(node: Node) -> None:
    shared = node.worker(0)
    assert not node.spread(0).open_
    assert not (node.run / FOLDER).exists()
    shared.define_gauge("g", 1, 1)
    assert node.spread(0).open_
    assert stat.S_IMODE((node.run / FOLDER).stat().st_mode) == 0o700
    assert node.joined == [0]


async def test_what_workers_count_is_counted_for_the_node(node: Node) -> None:
    workers = [node.counting(number) for number in range(3)]
    for number, each in enumerate(workers):
        each.series("s").add(A, number + 1)
    await until(lambda: [each.series("s").count(A) for each in workers] == [6, 6, 6])
    workers[0].counters.add(b"/c", 1)
    await until(lambda: all(each.counters.read(b"/c") == 1 for each in workers))


async def test_what_is_defined_nowhere_goes_over_to_who_begins(node: Node) -> None:
    one = node.worker(0)
    one.counters.add(b"/c", 7)
    two = node.worker(1)
    assert node.spread(1).open_
    await node.spread(1).known()
    assert two.has("counters")
    assert two.counters.read(b"/c") == 7


async def test_a_worker_which_begins_late_is_told_all_also_of_the_dead(node: Node) -> None:
    one, two = node.counting(0), node.counting(1)
    one.series("s").add(A, 5)
    two.series("s").add(A, 7)
    await until(lambda: one.series("s").count(A) == two.series("s").count(A) == 12)
    node.kill(1)
    node.joined.clear()
    again = node.counting(1)
    await until(lambda: 1 in node.joined)
    assert again.series("s").count(A) == 12
    again.series("s").add(A)
    await until(lambda: one.series("s").count(A) == 13)
    late = node.worker(2)
    late.define_gauge("g", 1, 1)
    await until(lambda: late.has("series", "s") and late.series("s").count(A) == 13)


async def test_sessions_of_a_worker_which_is_killed_are_not_there(node: Node) -> None:
    one, two = node.worker(0), node.worker(1)
    here, there = one.define_presence("p"), two.define_presence("p")
    here.add(A, 1)
    there.add(A, 2)
    await until(lambda: here.count(A) == there.count(A) == 3)
    node.kill(1)
    await until(lambda: here.count(A) == 1)
    assert node.spread(0).siblings == {}


async def test_who_does_not_read_blocks_nobody_and_gets_all_when_it_reads(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "FLUSH_SECONDS", 0.001)
    workers = [node.counting(number) for number in range(3)]
    await until(lambda: all(len(node.spread(n).siblings) == 2 for n in range(3)))
    stuck = node.spread(2)
    assert stuck._inbox is not None
    loop = asyncio.get_running_loop()
    loop.remove_reader(stuck._inbox)
    shared = workers[0]
    for number in range(QUEUE * 3):
        shared.series("s").add(number.to_bytes(4, "big"))
        node.spread(0)._flush()
        await asyncio.sleep(0)
        assert all(len(each.queue) <= QUEUE for each in node.spread(0).siblings.values())
    last = (QUEUE * 3 - 1).to_bytes(4, "big")
    await until(lambda: workers[1].series("s").count(last) == 1)
    assert node.spread(0)._dropped.value > 0
    assert workers[2].series("s").count(last) == 0
    loop.add_reader(stuck._inbox, stuck._read)
    await until(lambda: workers[2].series("s").total() == QUEUE * 3)


async def test_much_is_told_in_pieces_which_are_not_too_long(node: Node) -> None:
    one = node.counting(0)
    for number in range(PIECE * 3):
        one.series("s").add(number.to_bytes(4, "big"))
    for number in range(20):
        one.variables.set(b"%d" % number, b"x" * 16_000)
    late = node.counting(1)
    await until(lambda: late.series("s").total() == PIECE * 3)
    await until(lambda: len(late.variables) == 20)


async def test_a_worker_which_leaves_tells_what_is_left(node: Node) -> None:
    one, two = node.counting(0), node.counting(1)
    await until(lambda: node.spread(0).siblings and node.spread(1).siblings)
    one.series("s").add(A, 9)
    node.spread(0).close()
    await until(lambda: two.series("s").count(A) == 9)
    assert not (node.run / FOLDER / "0").exists()


async def test_a_worker_which_leaves_tells_all_to_one_which_has_just_begun(node: Node) -> None:
    one = node.counting(0)
    keys = PIECE * BURST * 6  # more than is sent in one go
    for number in range(keys):
        one.series("s").add(number.to_bytes(4, "big"))
    two = node.counting(1)
    listen = node.deafen(1)
    await until(lambda: node.spread(0).siblings)
    leaving = asyncio.ensure_future(node.spread(0).leave())
    await asyncio.sleep(0)
    assert not leaving.done()
    listen()
    await leaving
    node.spread(0).close()
    await until(lambda: two.series("s").total() == keys)


async def test_a_worker_which_leaves_waits_for_nobody_for_long(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "LEAVE_SECONDS", 0.05)
    node.worker(7)
    await node.spread(7).leave()  # it shares nothing
    one = node.counting(0)
    for number in range(PIECE * BURST * 30):
        one.series("s").add(number.to_bytes(4, "big"))
    node.counting(1)
    node.deafen(1)
    await until(lambda: node.spread(0).siblings)
    await node.spread(0).leave()
    assert any(each.waits for each in node.spread(0).siblings.values())


async def test_what_was_lost_is_told_again_in_time(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "LOOK_SECONDS", 0.01)
    one, two = node.counting(0), node.counting(1)
    await until(lambda: node.spread(0).siblings and node.spread(1).siblings)
    one.series("s").add(A, 9)
    for table in one.take_changed():
        table.changes()  # lost
    await until(lambda: two.series("s").count(A) == 9)


async def test_what_is_none_of_ours_is_left(node: Node) -> None:
    node.counting(0)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        folder = os.open(node.run / FOLDER, os.O_PATH)
        for datagram in (b"", b"\xff", b"\x93\xa1t\x01", b"x" * 10_000):
            stranger.sendto(datagram, f"/proc/self/fd/{folder}/0")
        os.close(folder)
    await until(lambda: node.spread(0)._broken.value == 4)


async def test_who_is_asked_and_does_not_answer_is_not_waited_for(node: Node) -> None:
    first, second = node.counting(0), node.counting(1)
    second.series("s").add(A, 4)
    await until(lambda: first.series("s").count(A) == 4)
    silent = node.spread(0)
    assert silent._inbox is not None
    asyncio.get_running_loop().remove_reader(silent._inbox)
    late = node.counting(2)
    await until(lambda: 2 in node.joined)
    assert late.series("s").count(A) == 4


async def test_a_worker_waits_for_what_others_know_but_not_for_long(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.worker(9)
    await asyncio.wait_for(node.spread(9).known(), 60)  # it has nothing to share
    first = node.counting(0)
    await asyncio.wait_for(node.spread(0).known(), 60)
    first.series("s").add(A, 4)
    late = node.counting(1)
    await node.spread(1).known()
    assert late.series("s").count(A) == 4
    monkeypatch.setattr(spread, "JOIN_SECONDS", 0.01)
    monkeypatch.setattr(spread, "ASK_SECONDS", 3600.0)
    for number in (0, 1):
        inbox = node.spread(number)._inbox
        assert inbox is not None
        asyncio.get_running_loop().remove_reader(inbox)
    node.counting(2)
    await node.spread(2).known()
    assert 2 not in node.joined


async def test_what_was_defined_and_counted_before_is_told_too(node: Node) -> None:
    early = Shared(RealClock(), 5)
    early.define_series("s", "cidr", 3600, 2).add(A, 2)
    made = Spread(early, node.run, asyncio.get_running_loop())
    node.workers[5] = early, made
    other = node.counting(6)
    other.series("s").add(A)
    await until(lambda: other.series("s").count(A) == early.series("s").count(A) == 3)
    early.series("s").add(A)
    await until(lambda: other.series("s").count(A) == 4)


async def test_hosts_whose_tls_fails_are_known_when_who_found_it_out_is_dead(node: Node) -> None:
    host = ("192.0.2.1", 25)
    here, there = Broken(node.worker(0)), Broken(node.worker(1))
    here.share()
    there.share()
    here.note(host, "unexpected eof", 600.0)
    await until(lambda: there.fault(host))
    node.kill(0)
    after = Broken(node.worker(0))
    after.share()
    await until(lambda: after.fault(host))
    after.forget()
    await until(lambda: there.fault(host) is None)
