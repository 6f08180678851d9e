"""Lines on shared connections take turns by the lanes of their mail."""

import pytest

from angarium.queue.line import Line
from angarium.queue.rota import Rota
from helpers.queues import Queues


class Yard:
    """Lines with mail, all in one rota."""

    def __init__(self) -> None:
        self.queues = Queues()
        self.rota = Rota((10, 90), {})

    def mail(self, domain: str, key: str = "", priority: int = 0) -> Line:
        return self.queues.put(domain, message=self.queues.message(key, priority))

    def join(self, domain: str, key: str = "", priority: int = 0) -> Line:
        line = self.mail(domain, key, priority)
        self.rota.append(line)
        return line

    def order(self) -> list[str]:
        names = []
        while self.rota:
            names.append(self.rota.popleft().domain)
        return names


def test_without_lanes_each_line_has_its_turn_in_order() -> None:
    yard = Yard()
    for domain in "abc":
        yard.join(domain)
    assert (len(yard.rota), [line.domain for line in yard.rota]) == (3, ["a", "b", "c"])
    first = yard.rota.first()
    assert first is not None
    assert first.domain == "a"
    yard.rota.append(yard.rota.popleft())
    assert yard.order() == ["b", "c", "a"]


def test_a_thousand_lines_of_one_key_do_not_hold_up_another() -> None:
    yard = Yard()
    for number in range(1000):
        yard.join(f"d{number}", "bulk")
    yard.join("single", "other")
    assert "single" in yard.order()[:2]


def test_mail_of_another_lane_gives_a_line_a_further_place() -> None:
    yard = Yard()
    for number in range(100):
        yard.join(f"d{number}")
    line = yard.mail("d77", "other")
    yard.rota.again(line)
    assert "d77" in yard.order()[:2]


@pytest.mark.parametrize("key", ["", "bulk"])
def test_new_mail_of_the_same_lane_changes_nothing(key: str) -> None:
    yard = Yard()
    for domain in "abc":
        yard.join(domain, key)
    yard.rota.again(yard.mail("c", key))
    assert yard.order() == ["a", "b", "c"]


def test_urgent_mail_goes_first() -> None:
    yard = Yard()
    for number in range(50):
        yard.join(f"d{number}")
    yard.join("urgent", priority=1)
    assert "urgent" in yard.order()[:2]


def test_an_empty_rota_has_nobody() -> None:
    yard = Yard()
    yard.join("a", "key")
    yard.rota.clear()
    assert (len(yard.rota), list(yard.rota), yard.rota.first()) == (0, [], None)
    with pytest.raises(IndexError):
        yard.rota.popleft()
