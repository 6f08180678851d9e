"""Entries which are nowhere, or in two places, are found; those on their way are not."""

import pytest

from angarium.queue.beat import Steps
from angarium.queue.entry import Entry
from helpers.checked import Checked


@pytest.fixture
def checked() -> Checked:
    return Checked()


def test_an_entry_in_no_queue_goes_back_to_its_line(checked: Checked) -> None:
    for items in checked.line.sift(lambda ident: True):
        for item in items:
            checked.line.lifted(item)
            checked.line.dropped(item)
    checked.queues.demands.clear()
    assert checked.look() == ["queues were not sound, and are mended: an entry of"
                              " default/default/a.test was in no queue"] * 2  # fmt: skip
    assert checked.line.active == 2
    assert checked.queues.demands


def test_an_entry_which_is_not_due_yet_goes_back_to_the_timer(checked: Checked) -> None:
    [ident] = [each for slot in checked.board.timer.members() for each in slot]
    checked.board.later.remove(ident)
    assert len(checked.look()) == 1
    assert checked.line.delayed == len(checked.board.timer) == 1


def test_an_entry_which_just_came_is_not_missed(checked: Checked) -> None:
    checked.queues.spool.immediate = False
    checked.queues.put("a.test")
    assert checked.look() == []


def test_an_entry_in_its_line_and_in_the_timer_stays_in_its_line(checked: Checked) -> None:
    ident = next(iter(checked.queues.spool.live))
    [delayed] = [each for slot in checked.board.timer.members() for each in slot]
    ident = delayed
    checked.line.push_id(ident)
    assert len(checked.look()) == 1
    assert (checked.line.active, len(checked.board.timer), checked.line.delayed) == (3, 0, 0)


def test_an_entry_twice_in_its_line_is_there_once(checked: Checked) -> None:
    [ident] = [each for slot in checked.board.timer.members() for each in slot]
    checked.board.later.remove(ident)
    checked.line.push_id(ident)
    checked.line.push_id(ident)
    assert len(checked.look()) == 1
    assert [each for piece in checked.line.members() for each in piece].count(ident) == 1


def test_an_entry_in_hands_is_nowhere_else(checked: Checked) -> None:
    [held] = checked.hands.entries
    checked.line.push_id(held.id)
    checked.board.later.add(held.id, int(checked.queues.clock.time()) + 100)
    assert len(checked.look()) == 1
    assert (checked.line.active, len(checked.board.timer)) == (2, 1)


def test_an_entry_twice_in_the_timer_is_there_once(checked: Checked) -> None:
    [ident] = [each for slot in checked.board.timer.members() for each in slot]
    checked.board.later.add(ident, int(checked.queues.clock.time()) + 999)
    assert len(checked.look()) == 1
    assert len(checked.board.timer) == checked.line.delayed == 1


def test_what_a_report_is_made_about_is_owned(checked: Checked) -> None:
    [entry] = checked.hands.entries
    checked.hands.entries.clear()
    checked.reported[entry.id] = entry
    assert checked.look() == []


def test_what_a_job_holds_between_its_slices_is_owned(checked: Checked) -> None:
    line = checked.line

    def job() -> Steps:
        for items in line.sift(lambda ident: True):
            yield
            for item in items:
                line.lifted(item)
                assert isinstance(item, Entry)
                line.push(item)

    work = job()
    checked.board.begin(work)
    next(work)
    look = checked.soundness.look()
    for _ in range(1000):
        next(look)  # It does not end before the job has.
    while checked.board.work():
        pass
    for _ in look:
        pass
    assert checked.said == []


def test_a_count_of_a_route_is_set_right(checked: Checked) -> None:
    checked.board.later.counts[0] += 5
    assert len(checked.look()) == 1
    assert checked.line.delayed == 1


def test_a_route_of_which_something_moves_meanwhile_is_not_judged(checked: Checked) -> None:
    checked.board.later.counts[0] += 5
    for _ in checked.soundness._routes.look():
        checked.board.later._count(0)
        checked.board.later.uncount(0)
    assert checked.said == []
