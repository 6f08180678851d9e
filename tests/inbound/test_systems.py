"""What is remembered of clients' systems, and what came of their mail."""

from angarium.inbound.counts import Counts
from angarium.inbound.systems import KEPT_SECONDS, MOST_SYSTEMS, OTHERS, System, Systems
from helpers.reception import Desk

LINUX = System("Linux", "4.20 and later", 3)


def test_a_client_is_known_for_an_hour() -> None:
    systems = Systems(10)
    systems.learn("192.0.2.1", LINUX, 100.0)
    assert systems.known("192.0.2.1", 100.0 + KEPT_SECONDS) == LINUX
    assert systems.known("192.0.2.2", 100.0) is None
    assert systems.known("192.0.2.1", 101.0 + KEPT_SECONDS) is None
    assert len(systems) == 0


def test_who_was_heard_of_first_goes_where_there_are_too_many() -> None:
    systems = Systems(2)
    for each in ("a", "b", "a", "c"):
        systems.learn(each, LINUX, 0.0)
    assert [systems.known(each, 0.0) is not None for each in "abc"] == [True, False, True]
    none = Systems(0)
    none.learn("a", LINUX, 0.0)
    assert len(none) == 0


def test_messages_and_refusals_are_counted_by_system() -> None:
    desk = Desk()
    desk.services.counts = Counts()
    desk.services.counts.systems = systems = Systems(10)
    systems.learn("192.0.2.9", LINUX, 0.0)
    for talk in (desk.greeted(), desk.greeted(("192.0.2.8", 1))):
        talk.deliver(b"Subject: x\r\n\r\n")
        talk.say("MAIL FROM:<a@x.test>")
        talk.say("RCPT TO:<b@elsewhere.test>")
        talk.say("RCPT TO:<c@elsewhere.test>")
    assert systems.sums == {("Linux", "4.20 and later"): [1, 2]}


def test_a_daemon_that_invents_systems_costs_a_bounded_memory() -> None:
    systems = Systems(2)
    for number in range(MOST_SYSTEMS + 50):
        systems.learn("a", System(f"s{number}", "", 0), 0.0)
        systems.received("a")
    assert len(systems.sums) == MOST_SYSTEMS + 1
    assert systems.sums[OTHERS] == [50, 0]


def test_after_a_reload_it_goes_on_from_there() -> None:
    before, after = Systems(10), Systems(5)
    before.learn("a", LINUX, 0.0)
    before.received("a")
    after.follow(before)
    after.follow(None)
    assert after.known("a", 0.0) == LINUX
    assert after.sums == {("Linux", "4.20 and later"): [1, 0]}
    assert after.most == 5
