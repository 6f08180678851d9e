"""An entry is in one pair of hands at a time."""

from angarium.queue.entry import DELAYED, ENDED, FLYING, MOVES, READY, State, wrong
from helpers.queues import Queues


def test_every_state_but_the_end_can_be_left_or_is_left_by_the_board() -> None:
    left = {before for before, _ in MOVES.values()}
    assert left == {READY, FLYING}
    # From DELAYED an entry comes back as a new object, from ENDED not at all.
    assert set(State) - left == {DELAYED, ENDED}


def test_a_wrong_move_names_the_entry_and_what_it_should_be() -> None:
    queues = Queues()
    (entry,) = queues.put("a.test").take(1)
    assert "u@a.test FLYING> cannot take: it must be READY" in str(wrong(entry, "take"))


def test_an_entry_has_slots_and_nothing_else() -> None:
    queues = Queues()
    (entry,) = queues.put("a.test").take(1)
    assert not hasattr(entry, "__dict__")
