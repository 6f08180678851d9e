"""A line gives batches in order, and counts exactly what it has."""

import gc
from collections import Counter
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.kinds import Throttle
from angarium.core.lane import lane_of
from angarium.core.message import Message, Recipient
from angarium.core.units import Rate
from angarium.queue.bulk import Tally, move
from angarium.queue.entry import DELAYED, ENDED, MOVES, READY, Entry, MoveError
from angarium.queue.line import REASONS, SHUT, SUSPENDED, Line
from angarium.queue.options import Shape
from angarium.queue.spool.slot import SLOT, lane_tail
from helpers.queues import Queues
from helpers.rounds import rounds


def idents(batch: list[Entry]) -> list[int]:
    return [entry.id for entry in batch]


def test_recipients_of_one_message_leave_together() -> None:
    queues = Queues()
    line = queues.put(*["a.test"] * 3)
    queues.put("a.test")
    batch = line.take(100)
    assert len(batch) == 3
    assert len({id(entry.message) for entry in batch}) == 1
    assert len(line.take(100)) == 1
    assert line.take(100) == []
    assert queues.counts(line) == (0, 0, 4)


@pytest.mark.effect("max_recipients_per_batch")
def test_a_batch_has_at_most_max_recipients_per_batch() -> None:
    queues = Queues(max_recipients_per_batch=2)
    line = queues.put(*["a.test"] * 5)
    assert [len(line.take(100)) for _ in range(3)] == [2, 2, 1]


def test_a_batch_has_at_most_what_is_asked_for() -> None:
    queues = Queues()
    line = queues.put(*["a.test"] * 5)
    assert len(line.take(1)) == 1


def test_what_was_not_attempted_goes_back_in_front_in_order() -> None:
    queues = Queues()
    line = queues.put(*["a.test"] * 3)
    queues.put("a.test")
    batch = line.take(100)
    line.put_back(batch)
    assert queues.counts(line) == (4, 0, 0)
    assert line.take(100) == batch


def test_beyond_max_resident_active_queue_only_ids_are_kept() -> None:
    queues = Queues(max_resident_active_queue=2)
    line = queues.put(*["a.test"] * 5)
    assert (line.active, line.resident) == (5, 2)
    batch = line.take(100)
    assert queues.spool.loads == 3
    assert len(batch) == 5
    assert len({id(entry.message) for entry in batch}) == 1


@pytest.mark.effect("max_resident_active_queue")
@pytest.mark.parametrize(("most", "resident"), [(-1, 300), (0, 0), (250, 250)])
def test_max_resident_active_queue_as_in_the_manual(most: int, resident: int) -> None:
    queues = Queues(max_resident_active_queue=most)
    line = queues.put_many(300)
    assert line.resident == resident


def test_order_is_kept_whether_in_memory_or_not() -> None:
    queues = Queues(max_resident_active_queue=2)
    queues.put_many(400).destage()
    line = queues.put_many(300)
    taken = [line.take(1)[0].id for _ in range(700)]
    assert taken == sorted(taken)


def test_mail_of_other_messages_in_between_is_not_batched() -> None:
    queues = Queues(max_resident_active_queue=0)
    line = queues.put(*["a.test"] * 2)
    queues.put("a.test")
    assert len(line.take(100)) == 2
    assert len(line.take(100)) == 1


def test_a_closed_line_gives_nothing() -> None:
    queues = Queues()
    line = queues.put("a.test")
    line.close(SUSPENDED)
    assert line.take(100) == []
    line.open(SUSPENDED)
    assert len(line.take(100)) == 1


@pytest.mark.effect("suspend_delivery")
def test_suspend_delivery_closes_and_a_reload_opens() -> None:
    queues = Queues(suspend_delivery=True)
    line = queues.put("a.test")
    assert line.take(100) == []
    assert REASONS[line.closed] == "suspend_delivery"
    queues.configuration.shape = queues.configuration.shape.replace(suspend_delivery=False)
    queues.configuration.generation = 2
    queues.demands.clear()
    queues.board.configure(queues.configuration)
    queues.board.work()
    assert queues.demands == [line]
    assert not line.closed & SHUT
    assert len(line.take(100)) == 1


def test_nothing_is_sent_while_the_spool_cannot_record_it() -> None:
    queues = Queues()
    line = queues.put("a.test")
    queues.spool.delivery = False
    queues.later(1)
    assert line.take(100) == []
    queues.spool.delivery = True
    queues.demands.clear()
    queues.later(1)
    assert queues.demands == [line]


def test_a_throttle_gives_its_exact_next_time() -> None:
    queues = Queues(outbound_throttle_messages=Throttle(Rate(2, 60), "global"))
    line = queues.put_many(3)
    assert len(line.take(1)) == 1
    assert line.take(1) == []
    assert queues.board.schedule.next == pytest.approx(queues.clock.monotonic() + 30.0)
    queues.demands.clear()
    queues.later(29)
    assert queues.demands == []
    assert line.take(1) == []
    queues.later(1)
    assert queues.demands == [line]
    assert len(line.take(1)) == 1


def test_a_throttle_limits_the_batch_and_counts_each_recipient() -> None:
    queues = Queues(outbound_throttle_messages=Throttle(Rate(2, 60), "global"))
    line = queues.put(*["a.test"] * 5)
    assert len(line.take(100)) == 2
    queues.later(59)
    assert line.take(100) == []
    queues.later(1)
    assert len(line.take(100)) == 2


def test_who_shares_a_throttle_is_limited_together() -> None:
    queues = Queues(outbound_throttle_messages=Throttle(Rate(1, 10), "global"))
    a, b = queues.put("a.test"), queues.put("b.test")
    assert len(a.take(1)) == 1
    assert b.take(1) == []
    assert queues.counts(b) == (1, 0, 0)


def test_failures_in_a_row_ask_for_a_pause() -> None:
    queues = Queues()
    line = queues.put("a.test")
    assert not line.connect_failed(0.0, most=2, seconds=900.0)
    assert line.connect_failed(1.0, most=2, seconds=900.0)
    line.connected()
    assert not line.connect_failed(5.0, most=50, seconds=900.0)
    assert not line.connect_failed(904.0, most=50, seconds=900.0)
    assert line.connect_failed(905.0, most=50, seconds=900.0)
    assert not line.connect_failed(9999.0, most=0, seconds=900.0)


def test_only_what_was_taken_can_be_delayed_or_ended() -> None:
    queues = Queues()
    line = queues.put("a.test")
    (entry,) = line.take(1)
    line.put_back([entry])
    assert entry.state is READY
    with pytest.raises(MoveError):
        queues.board.delay(entry, 1)
    with pytest.raises(MoveError):
        queues.board.ended(entry)
    line.take(1)
    queues.end(entry)
    assert entry.state is ENDED
    with pytest.raises(MoveError):
        line.put_back([entry])
    assert {after for _, after in MOVES.values()} >= {DELAYED, ENDED}


def test_a_sift_given_up_half_way_loses_nothing() -> None:
    queues = Queues(max_resident_active_queue=100)
    line = queues.put_many(600)
    sifting = line.sift(lambda ident: False)
    next(sifting)
    sifting.close()
    assert sum(len(line.take(1)) for _ in range(601)) == 600
    assert line.active == 0


# Turns of several keys.


def bring(queues: Queues, count: int, key: str = "", priority: int = 0) -> Line:
    for _ in range(count):
        queues.put("a.test", message=queues.message(key, priority))
    return queues.board.line("default", "default", "a.test")


def keys_of(queues: Queues, count: int) -> str:
    """Take and end so many messages; return whose they were, by the first letter of the key."""
    line, seen = queues.board.line("default", "default", "a.test"), ""
    for _ in range(count):
        for entry in line.take(1):
            message, _ = queues.spool.kept[entry.id]
            seen += "+" if message.priority else (message.fairness_key or "-")[0]
            queues.end(entry)
    return seen


@pytest.mark.parametrize("most", [0, 3, -1])
def test_a_bulk_of_one_key_does_not_hold_up_the_message_of_another(most: int) -> None:
    queues = Queues(max_resident_active_queue=most)
    bring(queues, 1000, "bulk")
    assert keys_of(queues, 10) == "b" * 10
    bring(queues, 1, "one")
    bring(queues, 1)
    assert keys_of(queues, 4) == "bo-b"
    assert len(keys_of(queues, 2000)) == 988
    line = queues.board.line("default", "default", "a.test")
    assert queues.counts(line) == (0, 0, 0)
    assert line.resident == 0


def test_what_comes_due_has_its_key_still_and_nothing_is_read_to_know_it() -> None:
    queues = Queues()
    bring(queues, 300, "bulk")
    bring(queues, 1, "one", priority=1)
    queues.restart()
    queues.later(1)
    assert queues.spool.loads == 0
    assert "+" in keys_of(queues, 2)
    assert keys_of(queues, 400) == "b" * 299


def test_urgent_mail_has_its_share_and_no_more() -> None:
    queues = Queues(priority_shares=(25, 75))
    bring(queues, 200)
    bring(queues, 200, priority=1)
    assert 145 <= keys_of(queues, 200).count("+") <= 155


@pytest.mark.effect("fairness_weights")
def test_a_weight_is_so_many_turns() -> None:
    queues = Queues(fairness_weights={"big": 3})
    bring(queues, 200, "big")
    bring(queues, 200, "small")
    assert 70 <= keys_of(queues, 100).count("b") <= 80


def test_what_was_put_back_is_in_front_of_all_turns() -> None:
    queues = Queues()
    bring(queues, 10, "bulk")
    line = bring(queues, 10, "other")
    taken = [*line.take(1), *line.take(1)]
    line.put_back(taken)
    assert idents(line.take(1) + line.take(1)) == idents(taken)
    assert line.active == 18


def test_a_throttled_key_keeps_its_turn() -> None:
    queues = Queues(outbound_throttle_messages=Throttle(Rate(1, 1), "t"))
    bring(queues, 5, "bulk")
    bring(queues, 5, "other")
    assert keys_of(queues, 1) == "b"
    assert keys_of(queues, 1) == ""
    queues.later(1)
    assert keys_of(queues, 1) == "o"


@pytest.mark.effect("priority_shares")
def test_other_shares_hold_for_what_waits_already() -> None:
    queues = Queues(priority_shares=(50, 50))
    bring(queues, 100)
    bring(queues, 100, priority=1)
    assert keys_of(queues, 20).count("+") == 10
    queues.configuration.shape = Shape.make(priority_shares=(0, 100))
    queues.configuration.generation += 1
    queues.board.configure(queues.configuration)
    queues.later(1)
    assert keys_of(queues, 200) == "+" * 90 + "-" * 90


def test_a_line_without_mail_keeps_no_turns() -> None:
    queues = Queues()
    bring(queues, 3, "bulk")
    line = bring(queues, 3, "other")
    assert len(line.lanes()) == 2
    keys_of(queues, 6)
    assert len(line.lanes()) == 1


def test_the_lanes_of_a_move_go_with_the_mail() -> None:
    queues = Queues(max_resident_active_queue=2)
    bring(queues, 50, "bulk")
    bring(queues, 1, "one")
    tally = Tally()
    queues.board.begin(move(queues.board, lambda key: True, "g", "b1", tally))
    queues.later(1)
    assert tally.entries == 51
    line = queues.board.line("g", "b1", "a.test")
    order = [
        queues.spool.kept[entry.id][0].fairness_key for _ in range(3) for entry in line.take(1)
    ]
    assert "one" in order


class OneContent(dict[int, tuple[Message, Recipient]]):
    """What is read of each of very many entries."""

    def __init__(self, message: Message) -> None:
        super().__init__()
        self._message = message

    def __missing__(self, ident: int) -> tuple[Message, Recipient]:
        return self._message, Recipient("u@a.test", "a.test", "default", "default", id=ident)


@pytest.mark.torture
def test_with_a_million_of_one_key_queued_one_of_another_is_next(tally: Counter[str]) -> None:
    """What was found at a start, promoted by its line and taken by demand, without a disk."""
    queues, count = Queues(), rounds(20_000, 1_000_000)
    now = int(queues.clock.time())
    route = queues.spool.routes.number(("default", "default", "a.test"))
    slot = SLOT.pack(route, now, 1, 0, 1, 2, 3, 4) + lane_tail(lane_of(0, "bulk"))
    queues.spool.kept = OneContent(queues.message("bulk"))
    first = (now - 60) << 32
    for ident in range(first, first + count):
        queues.spool.live[ident] = slot
        queues.board.found(ident, slot)
    queues.board.later.advance()
    while queues.board.beat.work():
        pass
    line = queues.board.line("default", "default", "a.test")
    assert line.active == count
    for key in ("one", "two", "three"):
        line.take(1)
        single = queues.message(key)
        queues.put("a.test", message=single)
        gc.disable()  # It looks at all that waits, and not for us.
        begin = process_time()
        taken = [*line.take(1), *line.take(1)]
        took = process_time() - begin
        gc.enable()
        assert single.batch in [entry.message.batch for entry in taken]
        assert took < 0.1  # However many wait.
    assert line.active + line.in_flight == count + 3
    tally["queued of one key"] += count


steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "take", "back", "end", "delay", "destage", "later", "sift"]),
        st.integers(1, 4),
    ),
    max_size=40,
)


@given(steps, st.sampled_from([-1, 0, 3]), st.sampled_from([("",), ("", "a"), ("a", "b", "c")]))
def test_every_entry_is_in_exactly_one_place(
    walk: list[tuple[str, int]], most: int, keys: tuple[str, ...]
) -> None:
    queues = Queues(max_resident_active_queue=most, max_recipients_per_batch=3)
    line = queues.board.line("default", "default", "a.test")
    flying: list[Entry] = []
    for step, number in walk:
        if step == "put":
            key = keys[(number + len(queues.spool.kept)) % len(keys)]
            message = queues.message(key, priority=number // 4)
            queues.put(*["a.test"] * number, message=message)
        elif step == "take":
            flying += line.take(number)
        elif step == "back":
            line.put_back(flying[:number])
            del flying[:number]
        elif step == "end" and flying:
            queues.end(flying.pop())
        elif step == "delay" and flying:
            queues.defer(flying.pop(), number)
        elif step == "destage":
            line.destage()
        elif step == "later":
            queues.later(number)
        elif step == "sift":
            for items in line.sift(lambda ident, by=number: ident % 4 == by):  # type: ignore[misc]
                for item in items:
                    line.lifted(item)
                    entry = queues.board.recall.entry(item, line) if isinstance(item, int) else item
                    assert entry is not None
                    line.fly(entry)
                    flying.append(entry)
        line = queues.board.line("default", "default", "a.test")
        assert line.in_flight == len(flying) == queues.board.in_flight
        assert line.active + line.delayed + line.in_flight == len(queues.spool.live)
        assert line.delayed == len(queues.board.timer)
        assert len({entry.id for entry in flying}) == len(flying)
        kept = len(queues.board.rooms.kept)
        assert line.resident + len(flying) + kept == queues.board.resident
    queues.jump(100)
    left = [entry.id for _ in range(line.active) for entry in line.take(100)]
    assert sorted([*left, *idents(flying)]) == sorted(queues.spool.live)


def test_a_throttle_of_before_a_reload_holds_no_line_any_more() -> None:
    queues = Queues(outbound_throttle_messages=Throttle(Rate(1, 3600), "t 1/3600"))
    line = queues.put_many(2)
    assert line.take(1)
    assert line.take(1) == []
    queues.configuration.shape = Shape.make(
        outbound_throttle_messages=Throttle(Rate(100), "t 100/1")
    )
    queues.configuration.generation += 1
    queues.board.configure(queues.configuration)
    queues.later(1.0)
    assert len(line.take(1)) == 1
