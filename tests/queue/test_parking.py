"""Lines which wait for one key have turns by the lanes of their mail."""

from collections import Counter

import pytest

from angarium.core.message import Message
from angarium.queue.line import Line
from angarium.queue.parking import Parking
from helpers.queues import Queues


class Town:
    """Lines with mail of some keys, all waiting in one row."""

    def __init__(self) -> None:
        self.queues = Queues()
        self.held: Counter[Line] = Counter()
        self.parking = Parking((10, 90), {}, self.held.__getitem__)

    def mail(self, domain: str, key: str = "", priority: int = 0) -> Line:
        message = self.queues.message()
        message.fairness_key, message.priority = key, priority
        return self.bring(domain, message)

    def bring(self, domain: str, message: Message) -> Line:
        line = self.queues.put(domain, message=message)
        self.parking.add(line)
        return line

    def order(self) -> list[str]:
        return [line.domain for line in iter(self.parking.next, None)]


def test_without_keys_the_first_to_wait_is_the_first_to_have_its_turn() -> None:
    town = Town()
    for domain in "abc":
        town.mail(domain)
    town.mail("a")
    assert len(town.parking) == 3
    assert town.order() == ["a", "b", "c"]
    assert len(town.parking) == 0


def test_a_thousand_lines_of_one_key_do_not_hold_up_that_of_another() -> None:
    town = Town()
    for number in range(1000):
        town.mail(f"d{number}", "bulk")
    town.mail("single", "other")
    assert "single" in town.order()[:2]


def test_a_line_which_waits_gets_a_further_place_with_its_new_mail() -> None:
    town = Town()
    for number in range(100):
        town.mail(f"d{number}", "bulk")
    town.mail("d77", "other")
    order = town.order()
    assert "d77" in order[:2]
    assert sorted(order) == sorted(f"d{number}" for number in range(100))


def test_urgent_mail_brings_its_line_forward() -> None:
    town = Town()
    for number in range(50):
        town.mail(f"d{number}")
    town.mail("urgent", priority=1)
    assert "urgent" in town.order()[:2]


def test_who_was_asked_in_vain_is_the_next() -> None:
    town = Town()
    for domain in "abc":
        town.mail(domain)
    first = town.parking.next()
    assert first is not None
    town.parking.add(first)
    town.parking.keep_turn(first)
    assert town.order() == ["a", "b", "c"]


def test_who_left_is_passed_over() -> None:
    town = Town()
    for domain in "abc":
        town.mail(domain)
    town.parking.remove(town.queues.board.line("default", "default", "b"))
    assert town.order() == ["a", "c"]


def test_one_connection_gives_way_for_each_line_that_has_none() -> None:
    town = Town()
    a, b, c = town.mail("a"), town.mail("b"), town.mail("c")
    assert town.parking.give_way(c)
    assert town.parking.give_way(c)
    assert not town.parking.give_way(c)
    assert town.parking.next() is a
    town.parking.add(a)  # It was taken by somebody else.
    assert town.parking.give_way(c)
    assert not town.parking.give_way(c)
    assert len(town.parking) == 3
    assert b in town.parking


def test_who_has_none_comes_before_who_wants_one_more() -> None:
    town = Town()
    rich = town.queues.put("rich")
    town.held[rich] = 3
    town.parking.add(rich)
    town.mail("poor")
    town.mail("poorer")
    assert town.order() == ["poor", "poorer", "rich"]


def test_who_lost_its_connections_is_among_the_poor() -> None:
    town = Town()
    first, second = town.queues.put("a"), town.queues.put("b")
    for line in (first, second):
        town.held[line] = 1
        town.parking.add(line)
    town.held[second] = 0
    town.parking.add(second)
    assert town.order() == ["b", "a"]


@pytest.mark.parametrize(("other", "gives"), [(1, True), (3, True), (4, False), (5, False)])
def test_connections_are_evened_out_and_not_passed_to_and_fro(other: int, gives: bool) -> None:
    town = Town()
    ours, theirs, first = (town.queues.put(each) for each in ("ours", "theirs", "first"))
    town.held.update({ours: 5, theirs: other, first: 9})
    town.parking.add(first)
    town.parking.add(theirs)
    assert town.parking.give_way(ours) is gives
    assert not town.parking.give_way(ours)
    if gives:
        assert town.order() == ["theirs", "first"]
