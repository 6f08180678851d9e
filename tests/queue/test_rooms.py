"""What is in memory stays within the bounds of the server, of a binding and of what failed."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.queue.board import Board
from angarium.queue.bulk import Tally, Where, destage, fail, move
from angarium.queue.entry import Entry
from angarium.queue.ledger import LedgerTable, SharedLedger
from angarium.queue.options import Residence, Shape
from angarium.queue.rooms import NO_LIMIT, SHARED
from angarium.queue.timer import Timer
from helpers.queues import Queues


def queues_with(own: int | None = None, **residence: int) -> Queues:
    """Return queues with these bounds; `own` is that of the binding b1."""
    queues = Queues()
    queues.configuration.tops[Residence] = Residence.make(**residence)
    default = residence.get("max_resident_messages", 32768)
    queues.configuration.shape = Shape.make(max_resident_messages=default)
    if own is not None:
        queues.configuration.shapes["b1", ""] = Shape.make(max_resident_messages=own)
    queues.start()
    return queues


def run(queues: Queues) -> None:
    while queues.board.work():
        pass


# All messages.


@pytest.mark.effect("max_resident_messages")
def test_beyond_the_bound_of_the_server_only_ids_are_in_memory() -> None:
    queues = queues_with(max_resident_messages=3)
    line = queues.put(*["a.test"] * 5)
    assert (line.resident, line.active, queues.board.resident) == (3, 5, 3)
    assert len(line.take(5)) == 5  # Whoever sends them has them in memory meanwhile.


def test_zero_is_no_bound() -> None:
    queues = queues_with(max_resident_messages=0)
    assert queues.board.resident_limit == NO_LIMIT


# Of a binding.


def test_a_binding_with_a_bound_of_its_own_keeps_to_it_and_others_go_on() -> None:
    queues = queues_with(own=2)
    small = queues.put(*["a.test"] * 5, binding="b1")
    other = queues.put(*["a.test"] * 5, binding="b2")
    assert (small.resident, other.resident) == (2, 5)
    assert small.room is not None
    assert other.room is None
    for entry in small.take(1):
        queues.end(entry)
    queues.put("c.test", binding="b1")
    assert small.room.resident == 2


@pytest.mark.effect("max_resident_messages_per_binding")
def test_each_binding_without_a_bound_of_its_own_has_the_one_for_all() -> None:
    queues = queues_with(own=1, max_resident_messages_per_binding=2)
    lines = [queues.put(*["a.test"] * 5, binding=each) for each in ("default", "b1", "b2")]
    assert [each.resident for each in lines] == [2, 1, 2]


def test_a_binding_without_a_bound_has_that_of_the_server() -> None:
    queues = queues_with(own=0, max_resident_messages=3)
    assert queues.put(*["a.test"] * 5, binding="b1").resident == 3


def test_mail_that_is_moved_counts_where_it_goes() -> None:
    queues = queues_with(own=4)
    line = queues.put(*["a.test"] * 3, binding="b1")
    assert line.room is not None
    queues.board.begin(move(queues.board, Where(binding="b1").matches, "g", "b2", Tally()))
    run(queues)
    assert line.room.resident == 0
    queues.board.begin(move(queues.board, Where(binding="b2").matches, "g", "b1", Tally()))
    run(queues)
    assert line.room.resident == 3


def test_a_reload_counts_anew_what_is_there() -> None:
    queues = queues_with()
    line = queues.put(*["a.test"] * 5, binding="b1")
    (flying,) = line.take(1)
    queues.configuration.shapes["b1", ""] = Shape.make(max_resident_messages=2)
    queues.configuration.generation += 1
    queues.board.configure(queues.configuration)
    run(queues)
    assert line.room is not None
    assert (line.room.resident, line.room.most) == (5, 2)
    queues.end(flying)
    assert line.room.resident == 4
    queues.put("b.test", binding="b1")
    assert line.room.resident == 4


# What failed for now.


def failed(queues: Queues, attempts: int = 1) -> Entry:
    """Let one entry fail so often, and wait."""
    (entry,) = queues.put("a.test").take(1)
    entry.attempts = attempts
    queues.spool.defer(entry.id, attempts, int(queues.clock.time()) + 10)
    queues.board.delay(entry, int(queues.clock.time()) + 10)
    return entry


def test_what_failed_is_sent_from_memory_when_it_is_due() -> None:
    queues = queues_with()
    before = failed(queues)
    assert (queues.board.resident, queues.board.delayed) == (1, 1)
    queues.later(11)
    (entry,) = queues.board.line("default", "default", "a.test").take(1)
    assert entry is before
    assert (queues.spool.loads, entry.attempts, queues.board.resident) == (0, 1, 1)
    queues.end(entry)
    assert (queues.board.resident, queues.board.in_flight) == (0, 0)


@pytest.mark.parametrize(("attempts", "loads"), [(3, 0), (4, 1)])
def test_after_so_many_failures_it_is_read_from_the_disk(attempts: int, loads: int) -> None:
    queues = queues_with()
    failed(queues, attempts)
    queues.later(11)
    assert queues.board.line("default", "default", "a.test").take(1)
    assert queues.spool.loads == loads


@pytest.mark.effect("drop_body_after_trans_fail")
@pytest.mark.parametrize(("most", "loads"), [(0, 1), (1, 1), (2, 0), (9, 0)])
def test_for_how_many_failures_it_stays_in_memory(most: int, loads: int) -> None:
    queues = queues_with()
    queues.configuration.shape = Shape.make(drop_body_after_trans_fail=most)
    queues.start()
    failed(queues, attempts=2)
    queues.later(11)
    assert queues.board.line("default", "default", "a.test").take(1)
    assert queues.spool.loads == loads


@pytest.mark.effect("max_resident_transfails")
def test_there_is_room_for_so_many_only() -> None:
    queues = queues_with(max_resident_transfails=2)
    kept = [failed(queues).id for _ in range(3)][:2]
    assert list(queues.board.rooms.kept) == kept
    assert queues.board.resident == 2


def test_none_is_kept_where_the_option_is_zero() -> None:
    queues = queues_with(max_resident_transfails=0)
    failed(queues)
    assert queues.board.resident == 0


def test_what_was_moved_meanwhile_is_read_again() -> None:
    queues = queues_with()
    failed(queues)
    queues.board.begin(move(queues.board, Where().matches, "g", "b2", Tally()))
    run(queues)
    queues.later(11)
    (entry,) = queues.board.line("g", "b2", "a.test").take(1)
    assert (entry.recipient.binding, queues.spool.loads) == ("b2", 1)
    assert queues.board.resident == 1


def test_what_is_put_aside_or_ended_leaves_memory() -> None:
    queues = queues_with()
    first = failed(queues)
    failed(queues)
    queues.board.isolate(first.id)
    assert queues.board.resident == 1
    queues.board.begin(fail(queues.board, Where().matches, queues.end, Tally()))
    run(queues)
    assert (queues.board.resident, len(queues.board.rooms.kept)) == (0, 0)


# Workers.


def test_a_worker_of_several_has_what_the_others_leave() -> None:
    queues = queues_with(max_resident_messages=160)
    table = LedgerTable(2, rows=64)
    one, other = (
        SharedLedger.opened(
            {name: os.dup(each) for name, each in table.descriptors(number).items()},
            number,
            queues.clock,
            lambda text: None,
        )
        for number in (0, 1)
    )
    board = Board(
        queues.spool,
        Timer(int(queues.clock.time())),
        queues.configuration,
        queues.clock,
        ledger=one,
        workers=2,
    )
    assert board.resident_limit == 10  # An eighth of its half: it keeps nothing yet.
    board.resident = 10
    board.tick()
    assert board.resident_limit == 20
    assert other.share(SHARED, 160, 145) == 140
    board.tick()
    assert board.resident_limit == 20
    assert other.share(SHARED, 160, 155) == 140
    board.resident = 5
    board.tick()
    assert board.resident_limit == 10
    assert other.share(SHARED, 160, 155) == 150
    for each in (one, other, table):
        each.close()


# Counts agree whatever happens.

steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "take", "back", "end", "delay", "destage", "later", "move"]),
        st.sampled_from(["b1", "b2"]),
    ),
    max_size=40,
)


@given(steps)
def test_a_room_has_what_its_lines_have(walk: list[tuple[str, str]]) -> None:
    queues = queues_with(own=3, max_resident_messages=6, max_resident_transfails=2)
    board = queues.board
    flying: list[Entry] = []
    for step, binding in walk:
        line = board.line("g", binding, "a.test")
        if step == "put":
            queues.put("a.test", binding=binding)
        elif step == "take":
            flying += line.take(2)
        elif step == "back" and flying:
            flying[-1].line.put_back([flying.pop()])
        elif step == "end" and flying:
            queues.end(flying.pop())
        elif step == "delay" and flying:
            queues.defer(flying.pop(), 5)
        elif step == "destage":
            board.begin(destage(board))
            run(queues)
        elif step == "later":
            queues.later(6)
        elif step == "move":
            other = "b2" if binding == "b1" else "b1"
            board.begin(move(board, Where(binding=binding).matches, "g", other, Tally()))
            run(queues)
        resident = 0
        for each in board.lines.values():
            resident += each.resident + each.in_flight
            if each.room is not None:
                assert each.room.resident == each.resident + each.in_flight
        assert resident + len(board.rooms.kept) == board.resident
