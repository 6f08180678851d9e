"""Who is told when: each by itself, not too often, until it works."""

import asyncio
from typing import Any

import pytest

from angarium.modules.monitor.dispatch import Dispatch, Way
from angarium.modules.monitor.incidents import Incidents, Limits
from angarium.modules.monitor.notices import Notice
from angarium.modules.monitor.receivers import NotToldError
from helpers.clock import FakeClock


class Person:
    """A receiver; `reasons` are why it cannot be told, once each."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = list(reasons)
        self.told: list[Notice] = []
        self.tries = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def tell(self, notice: Notice) -> None:
        self.tries += 1
        await self.gate.wait()
        if self.reasons:
            raise NotToldError(self.reasons.pop(0))
        self.told.append(notice)


class Office:
    def __init__(self, *people: Person, kinds: tuple[str, ...] = ("*",)) -> None:
        self.clock = FakeClock()
        self.complaints: list[str] = []
        self.incidents = Incidents(Limits(gather=0.0))
        ways = {str(n): Way(each, kinds, 60.0) for n, each in enumerate(people)}
        self.dispatch = Dispatch(self.incidents, ways, "mx", self.clock, self.complaints.append)

    def wrong(self, kind: str, about: str = "") -> None:
        self.incidents.begin(kind, about, "x", self.clock.time(), lasting=True)

    async def pass_(self, seconds: float = 0.0) -> None:
        """Let so many seconds pass, and what they bring about happen."""
        for _ in range(max(1, int(seconds))):
            self.clock.advance(min(seconds, 1.0))
            self.dispatch.tick()
            for _ in range(5):
                await asyncio.sleep(0)


async def test_what_happens_within_the_interval_goes_into_one_message() -> None:
    person = Person()
    office = Office(person)
    office.wrong("disk")
    await office.pass_(1)
    for number in range(500):
        office.wrong("spool", str(number))
        await office.pass_(0.1)
    assert len(person.told) == 1
    await office.pass_(60)
    assert [len(each.incidents) for each in person.told] == [1, 500]
    await office.pass_(120)
    assert len(person.told) == 2


async def test_a_receiver_that_fails_is_tried_later_and_later_and_complained_of_once() -> None:
    person, other = Person("no", "no", "no"), Person()
    office = Office(person, other)
    office.wrong("disk")
    tries = []
    for _ in range(75):
        await office.pass_(1)
        tries.append(person.tries)
    assert [tries.index(n) for n in (1, 2, 3, 4)] == [0, 10, 30, 70]
    assert len(person.told) == len(other.told) == 1
    assert office.complaints == [
        "alerting 0 cannot be told, and is tried again: no", "alerting 0 is told again",
    ]  # fmt: skip


async def test_one_that_takes_long_holds_up_nobody() -> None:
    slow, quick = Person(), Person()
    slow.gate.clear()
    office = Office(slow, quick)
    office.wrong("disk")
    await office.pass_(3)
    assert (slow.tries, len(slow.told), len(quick.told)) == (1, 0, 1)
    office.incidents.end("disk", "", office.clock.time())  # while the first one is on its way
    slow.gate.set()
    await office.pass_(65)
    assert [each.word for each in slow.told][-1] == "over"
    await office.dispatch.last(1.0)


async def test_only_the_kinds_somebody_wants_are_told() -> None:
    person = Person()
    office = Office(person, kinds=("disk", "work*"))
    office.wrong("intake")
    await office.pass_(1)
    assert person.told == []
    office.wrong("worker")
    await office.pass_(1)
    assert len(person.told) == 1


async def test_a_test_goes_to_all_at_once_and_says_who_failed() -> None:
    people = [Person(), Person("nobody there")]
    office = Office(*people, kinds=("nothing",))
    assert await office.dispatch.test() == {"0": "", "1": "nobody there"}
    assert people[0].told[0].word == "test"
    assert len(office.incidents) == 0


async def test_a_bug_is_no_reason() -> None:
    class Broken(Person):
        async def tell(self, notice: Notice) -> Any:
            raise KeyError(notice.host)

    with pytest.raises(KeyError):
        await Office(Broken()).dispatch.test()
    person = Broken()
    office = Office(person)
    office.wrong("disk")
    for _ in range(100):
        await office.pass_(1)
    assert office.complaints == ["alerting 0 failed: KeyError: 'mx'"]


async def test_who_was_told_just_now_is_not_told_again_after_a_reload() -> None:
    person = Person()
    office = Office(person)
    office.wrong("disk")
    await office.pass_(1)
    office.dispatch.use({"0": Way(person, ("*",), 60.0)}, "mx")
    office.wrong("spool")
    await office.pass_(30)
    assert len(person.told) == 1
    await office.pass_(31)
    assert len(person.told) == 2
