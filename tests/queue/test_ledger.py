"""The shared table: exact between processes, fair when short, free of what the dead held."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from angarium.core.errors import Error
from angarium.core.units import Rate
from angarium.queue.ledger import LedgerTable, SharedLedger
from angarium.queue.rows import BUCKET, Table, digest_of
from angarium.queue.throttle import Grant
from helpers.clock import FakeClock

GRANTED, DENIED, BUSY = Grant
PLAYER = Path(__file__).parents[1] / "helpers" / "ledger_player.py"


class Node:
    """A table and its workers, all in this process: what is not about locks."""

    def __init__(self, workers: int = 2, rows: int = 64) -> None:
        self.clock = FakeClock()
        self.table = LedgerTable(workers, rows)
        self.alarms: list[str] = []
        self.freed: list[list[str]] = [[] for _ in range(workers)]
        self.ledgers = [self.open(worker) for worker in range(workers)]

    def open(self, worker: int) -> SharedLedger:
        own = {name: os.dup(each) for name, each in self.table.descriptors(worker).items()}
        ledger = SharedLedger.opened(own, worker, self.clock, self.alarms.append)
        ledger.on_free = self.freed[worker].append
        return ledger

    def read(self) -> None:
        for ledger in self.ledgers:
            ledger.read()

    def close(self) -> None:
        for ledger in self.ledgers:
            ledger.close()
        self.table.close()


Make = Callable[..., Node]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Node] = []

    def one(workers: int = 2, rows: int = 64) -> Node:
        made.append(Node(workers, rows))
        return made[-1]

    yield one
    for node in made:
        node.close()


def test_a_cap_holds_for_all_workers_together(make: Make) -> None:
    node = make()
    a, b = node.ledgers
    assert a.acquire("k", 2) is GRANTED
    assert b.acquire("k", 2) is GRANTED
    assert a.acquire("k", 2) is DENIED
    assert a.count("k") == 2
    assert a.acquire("other", 2) is GRANTED


def test_who_waits_is_woken_and_served_before_newcomers(make: Make) -> None:
    node = make(3)
    a, b, c = node.ledgers
    assert a.acquire("k", 1)
    assert b.acquire("k", 1) is DENIED
    assert a.wanted("k")
    a.release("k")
    node.read()
    assert node.freed == [[], ["k"], []]
    assert c.acquire("k", 1) is DENIED
    node.clock.advance(0.1)
    assert a.acquire("k", 1) is DENIED
    assert b.acquire("k", 1) is GRANTED
    b.release("k")
    node.read()
    assert node.freed[2] == ["k"]


def test_a_waiter_who_does_not_come_loses_its_place(make: Make) -> None:
    node = make()
    a, b = node.ledgers
    assert a.acquire("k", 1)
    assert b.acquire("k", 1) is DENIED
    a.release("k")
    assert a.acquire("k", 1) is DENIED
    node.clock.advance(1.1)
    assert a.acquire("k", 1) is GRANTED


def test_two_free_permits_wake_two_waiters(make: Make) -> None:
    node = make(3)
    a, b, c = node.ledgers
    assert a.acquire("k", 2)
    assert a.acquire("k", 2)
    assert b.acquire("k", 2) is DENIED
    node.clock.advance(0.1)
    assert c.acquire("k", 2) is DENIED
    node.table.clear_worker(0)
    node.read()
    assert node.freed[1:] == [["k"], []]
    assert b.acquire("k", 2) is GRANTED
    node.read()
    assert c.acquire("k", 2) is GRANTED


def test_who_no_longer_waits_passes_it_on(make: Make) -> None:
    node = make(3)
    a, b, c = node.ledgers
    assert a.acquire("k", 1)
    assert b.acquire("k", 1) is DENIED
    node.clock.advance(0.1)
    assert c.acquire("k", 1) is DENIED
    a.release("k")
    b.forget("k")
    node.read()
    assert node.freed[2] == ["k"]
    assert c.acquire("k", 1) is GRANTED


def test_nobody_is_asked_to_hand_back_while_nobody_waits(make: Make) -> None:
    node = make()
    a, b = node.ledgers
    assert a.acquire("k", 1)
    assert not a.wanted("k")
    assert not a.wanted("never")
    assert b.acquire("k", 1) is DENIED
    node.clock.advance(0.1)
    assert a.wanted("k")
    assert not b.wanted("k")


def test_who_holds_fewest_is_served_first(make: Make) -> None:
    node = make()
    a, b = node.ledgers
    for _ in range(3):
        assert a.acquire("k", 3)
    assert a.acquire("k", 3) is DENIED
    node.clock.advance(0.1)
    assert b.acquire("k", 3) is DENIED
    a.release("k")
    assert a.acquire("k", 3) is DENIED  # It waits for longer, and has two.
    assert b.acquire("k", 3) is GRANTED


def test_one_in_use_is_given_back_once_for_each_who_has_fewer(make: Make) -> None:
    node = make(3)
    a, b, c = node.ledgers
    for ledger in (a, a, a, b):
        assert ledger.acquire("k", 4)
    assert not a.give_way("k")
    assert c.acquire("k", 4) is DENIED
    assert not b.give_way("k")  # The one who has most does it.
    assert a.give_way("k")
    assert not a.give_way("k")
    assert b.acquire("k", 4) is DENIED
    assert a.give_way("k")
    assert not a.give_way("k")
    node.clock.advance(1.1)
    assert a.give_way("k")  # Nothing came of it.
    assert not a.give_way("never")


def test_equals_leave_each_other_what_they_have(make: Make) -> None:
    node = make()
    a, b = node.ledgers
    for ledger in (a, a, b, b):
        assert ledger.acquire("k", 4)
    for ledger in (a, b):
        assert ledger.acquire("k", 4) is DENIED
    assert not a.give_way("k")
    assert not b.give_way("k")


def test_who_begins_to_wait_tells_those_who_hold_some(make: Make) -> None:
    node = make(3)
    a, b, c = node.ledgers
    wanted: list[str] = []
    a.on_wanted, c.on_wanted = wanted.append, wanted.append
    assert a.acquire("k", 1)
    assert b.acquire("k", 1) is DENIED
    node.read()
    assert b.acquire("k", 1) is DENIED
    node.read()
    assert wanted == ["k"]
    assert node.freed == [[], [], []]


def test_all_see_at_a_glance_whether_anybody_waits(make: Make) -> None:
    node = make(3)
    a, b, c = node.ledgers

    def seen() -> set[bool]:
        return {each.contended for each in node.ledgers}

    a.acquire("k", 1)
    assert seen() == {False}
    b.acquire("k", 1)
    c.acquire("k", 1)
    assert seen() == {True}
    c.forget("k")
    assert seen() == {True}
    a.release("k")
    assert b.acquire("k", 1) is GRANTED
    assert seen() == {True}  # Another line of its may wait still.
    b.forget("k")
    assert seen() == {False}
    c.acquire("k", 1)
    node.table.clear_worker(2)
    assert seen() == {False}


def test_what_a_dead_worker_held_is_free(make: Make) -> None:
    node = make()
    a, b = node.ledgers
    assert a.acquire("k", 1)
    assert b.acquire("k", 1) is DENIED
    node.table.clear_worker(0)
    node.read()
    assert node.freed[1] == ["k"]
    assert b.acquire("k", 1) is GRANTED


def test_a_wake_up_which_was_lost_comes_with_the_next_second(make: Make) -> None:
    node = make()
    a, b = node.ledgers
    assert a.acquire("k", 1)
    assert b.acquire("k", 1) is DENIED
    a.release("k")
    b.tick()
    assert node.freed[1] == ["k"]


def test_more_releases_than_permits_are_a_bug(make: Make) -> None:
    with pytest.raises(ValueError, match="not held"):
        make().ledgers[0].release("k")


def test_rows_are_free_when_nothing_is_counted(make: Make) -> None:
    node = make()
    a, b = node.ledgers
    assert a.acquire("k", 1)
    assert b.acquire("k", 1) is DENIED
    a.release("k")
    assert node.table.rows() == 1
    assert b.acquire("k", 1)
    b.forget("k")
    b.release("k")
    assert node.table.rows() == 0


def test_a_full_table_refuses_and_alarms_once(make: Make) -> None:
    node = make(rows=BUCKET)
    ledger = node.ledgers[0]
    for number in range(BUCKET):
        assert ledger.acquire(f"k{number}", 1)
    assert ledger.acquire("more", 1) is DENIED
    assert ledger.acquire("more", 1) is DENIED
    assert ledger.take("rate", Rate(1)) > 0.0
    assert len(node.alarms) == 1
    ledger.release("k0")
    assert ledger.acquire("more", 1) is GRANTED


def test_who_found_the_table_full_is_asked_again_each_second(make: Make) -> None:
    node = make(rows=BUCKET)
    ledger = node.ledgers[0]
    for number in range(BUCKET):
        assert ledger.acquire(f"k{number}", 1)
    assert ledger.acquire("more", 1) is DENIED
    ledger.tick()
    assert node.freed[0] == ["more"]


def test_a_permit_for_one_line_does_not_end_the_wait_of_the_others(make: Make) -> None:
    # A line without a connection may have one of the reserve, while others of its worker wait.
    node = make()
    a, b = node.ledgers
    assert a.acquire("k", 1)
    assert b.acquire("k", 1) is DENIED
    assert b.acquire("k", 2) is GRANTED
    a.release("k")
    node.read()
    assert node.freed[1] == ["k"]


def test_who_is_served_by_what_another_was_told_is_not_told_as_well(make: Make) -> None:
    ledger = make().ledgers[0]
    for key in ("k", "l"):
        assert ledger.acquire(key, 1)
        assert ledger.acquire(key, 1) is DENIED
    told: list[str] = []

    def free(key: str) -> None:
        told.append(key)
        ledger.forget("k")
        ledger.forget("l")

    ledger.on_free = free
    ledger.tick()
    assert told == ["k"]


def test_a_rate_which_is_over_gives_its_row_up(make: Make) -> None:
    node = make(rows=BUCKET)
    ledger = node.ledgers[0]
    for number in range(BUCKET):
        assert ledger.take(f"r{number}", Rate(1, 10)) == 0.0
    assert ledger.acquire("more", 1) is DENIED
    node.clock.advance(10.0)
    assert ledger.acquire("more", 1) is GRANTED


def test_a_rate_holds_for_all_workers_and_says_its_next_time(make: Make) -> None:
    node = make()
    a, b = node.ledgers
    assert a.take("k", Rate(1, 60)) == 0.0
    assert b.take("k", Rate(1, 60)) == pytest.approx(60.0)
    node.clock.advance(60.0)
    assert b.take("k", Rate(1, 60)) == 0.0
    assert a.take("k", Rate(1, 60), 3) == pytest.approx(60.0)


@pytest.mark.parametrize("rate", [Rate(7), Rate(50), Rate(1000), Rate(90, 60)])
def test_a_rate_is_reached_and_not_exceeded(make: Make, rate: Rate) -> None:
    node = make(3)
    sent, seconds = 0, 30
    for _ in range(seconds * 1000):
        sent += sum(ledger.take("k", rate) == 0.0 for ledger in node.ledgers)
        node.clock.advance(0.001)
    allowed = rate.count * seconds / rate.seconds
    assert allowed * 0.95 - 1 <= sent <= allowed + max(rate.count / rate.seconds * 0.2, 1)


def test_a_locked_row_is_busy_and_a_release_is_not_lost(make: Make) -> None:
    node = make()
    (a, _), key = node.ledgers, "k"
    assert a.acquire(key, 1)
    with Player(node.table, 1) as other:
        other.say(f"lock {key}")
        assert a.acquire(key, 2) is BUSY
        assert 0.0 < a.take(key, Rate(1)) < 0.1
        a.release(key)
        assert a.count(key) == 1
        other.kill()
    a.tick()
    assert a.count(key) == 0
    assert a.acquire(key, 1) is GRANTED


def test_a_table_of_another_version_is_refused() -> None:
    descriptor = os.memfd_create("other")
    os.write(descriptor, bytes(64))
    with pytest.raises(Error, match="no ledger"):
        SharedLedger.opened({"ledger.table": descriptor}, 0, FakeClock(), print)
    os.close(descriptor)


def test_a_key_is_found_only_in_its_own_row(make: Make) -> None:
    node = make(rows=64)
    table = Table(node.table.descriptors(0)["ledger.table"], 2, 64)
    digest = digest_of("k")
    row = table.bucket(digest) + 3
    table.name(row, bytes(8) + digest[:8])
    table.name(row + 1, digest[8:] + bytes(8))
    assert table.find(digest) == -1
    table.name(row, digest)
    assert table.find(digest) == row
    table.close()


class Player:
    """A worker in a process of its own, told what to do by lines."""

    def __init__(self, table: LedgerTable, worker: int) -> None:
        own = table.descriptors(worker)
        named = [f"{name}={descriptor}" for name, descriptor in own.items()]
        self.process = subprocess.Popen(
            [sys.executable, str(PLAYER), str(worker), *named],
            pass_fds=tuple(own.values()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.hear() == "ready"

    def __enter__(self) -> "Player":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for end in (self.process.stdin, self.process.stdout):
            assert end is not None
            end.close()

    def say(self, line: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], 20.0)
        assert ready, "the player says nothing"
        return self.process.stdout.readline().decode().strip()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.mark.slow
def test_one_permit_goes_round_among_four_workers() -> None:
    with ExitStack() as stack:
        table = stack.enter_context(closing(LedgerTable(4)))
        players = [stack.enter_context(Player(table, worker)) for worker in range(4)]
        for player in players:
            player.say("begin 1.0 1")
        results = [player.hear().split() for player in players]
    turns = [int(each[0]) for each in results]
    # Each has had its share, and no two ever held it at once: the players look for themselves.
    assert min(turns) > max(turns) / 3
    assert {each[1] for each in results} == {"0"}


@pytest.mark.slow
def test_the_death_of_a_lock_holder_frees_its_row_and_its_counts() -> None:
    with (
        closing(LedgerTable(3)) as table,
        Player(table, 0) as victim,
        Player(table, 1) as other,
    ):
        assert victim.say("acquire k 1") == "GRANTED"
        assert other.say("acquire k 1") == "DENIED"
        victim.say("lock k")
        assert other.say("acquire k 1") == "BUSY"
        victim.kill()
        assert other.say("acquire k 1") == "DENIED"
        table.clear_worker(0)
        assert other.say("wait 5") == "k"
        assert other.say("acquire k 1") == "GRANTED"


@pytest.mark.slow
def test_no_overshoot_while_workers_are_killed() -> None:
    with closing(LedgerTable(3)) as table, Player(table, 1) as one, Player(table, 2) as two:
        one.say("begin 1.0 3")
        two.say("begin 1.0 3")
        until = time.monotonic() + 0.6
        while time.monotonic() < until:
            with Player(table, 0) as victim:
                victim.say("begin 10 3")
                select.select([], [], [], 0.02)
            table.clear_worker(0)
        assert one.hear().split()[1] == "0"
        assert two.hear().split()[1] == "0"


def test_pieces_of_rates_which_nobody_asks_for_any_more_are_forgotten(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("angarium.queue.ledger._LEASED", 4)
    node = make()
    for number in range(32):
        assert node.ledgers[0].take(f"rate {number}", Rate(1000)) == 0.0
        node.clock.advance(0.05)
    assert len(node.ledgers[0]._leases) <= 4


def test_what_one_worker_takes_back_of_a_rate_another_may_have(make: Make) -> None:
    node = make()
    a, b = node.ledgers
    assert a.take("k", Rate(1, 60)) == 0.0
    a.adjust("k", Rate(1, 60), -1)
    assert b.take("k", Rate(1, 60)) == 0.0
    b.adjust("k", Rate(1, 60), 2)
    assert a.take("k", Rate(1, 60)) == pytest.approx(180.0)
