"""What is done to an entry leaves it in one place, by the binding it should have."""

import pytest

from angarium.queue.acts import Fail, Flush, Hold, Move
from angarium.queue.choice import Choice
from angarium.queue.errand import Act, Errand, Means
from helpers.queues import Queues


def run(queues: Queues, act: Act, choice: Choice | None = None) -> int:
    means = Means(lambda: [queues.spool.live], list)
    made = Errand(queues.board, choice or Choice(), means)
    for _ in made.run(act):
        pass
    return made.done


def test_an_act_says_what_it_does() -> None:
    line = Queues().put("a.test")
    with pytest.raises(NotImplementedError):
        Act().delayed(1)
    with pytest.raises(NotImplementedError):
        Act().active(line, 1)


def test_what_fails_of_a_vanished_binding_ends_by_the_default_one() -> None:
    queues = Queues()
    line = queues.put("a.test", binding="b1")
    queues.defer(line.take(1)[0], 600)
    queues.configuration.names = [("default", "default")]
    queues.configuration.generation += 1
    queues.board._bindings = {("default", "default")}
    ended: list[str] = []

    def end(entry: object) -> None:
        ended.append(entry.line.binding)  # type: ignore[attr-defined]
        queues.end(entry)  # type: ignore[arg-type]

    del queues.board.lines[line.key]
    assert run(queues, Fail(queues.board, end, lambda: True)) == 1
    assert ended == ["default"]


def test_lanes_are_kept_by_all_acts() -> None:
    queues = Queues()
    queues.put("a.test", message=queues.message("tenant"))
    line = queues.put("a.test", message=queues.message())
    assert run(queues, Hold(queues.board, 5)) == 2
    assert run(queues, Flush(queues.board)) == 2
    move = Move(queues.board, lambda key: (key[0], key[1], "b.test"))
    assert run(queues, move) == 2
    to = queues.board.line("default", "default", "b.test")
    assert to.keyed
    assert (line.active, to.active) == (0, 2)


def test_who_has_no_other_way_stays() -> None:
    queues = Queues()
    line = queues.put("a.test", "a.test")
    queues.defer(line.take(1)[0], 600)
    queues.put("a.test")
    assert run(queues, Move(queues.board, lambda key: None)) == 0
    assert (line.active, line.delayed) == (2, 1)


def test_what_is_moved_stays_due_when_it_was_though_the_clock_was_set_back() -> None:
    queues = Queues()
    line = queues.put("a.test")
    queues.defer(line.take(1)[0], 60)
    queues.clock.set(queues.clock.time() - 3600.0)
    queues.later(1.0)
    assert run(queues, Move(queues.board, lambda key: ("g", "b1", key[2]))) == 1
    moved = queues.board.line("g", "b1", "a.test")
    assert (line.delayed, moved.delayed) == (0, 1)
    queues.later(61.0)
    assert queues.board.line("g", "b1", "a.test").active == 1
