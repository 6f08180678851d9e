"""A 250 is a promise: nothing is told, and nothing queued, before the spool says so."""

import pytest

from angarium.core.message import Message, Recipient
from angarium.journal.errors import SpoolError
from angarium.queue.admit import NO_BINDING, NO_DOMAIN, NO_MEMORY, NO_SPOOL, Admit
from angarium.queue.bulk import Suspensions, Where
from angarium.queue.options import ServerLimits
from helpers.queues import Queues


class Door:
    def __init__(self) -> None:
        self.queues = Queues()
        self.queues.spool.immediate = False
        self.admit = Admit(self.queues.spool, self.queues.board)
        self.told: list[SpoolError | None] = []

    def message(self) -> Message:
        return self.queues.message()

    def submit(self, *recipients: Recipient) -> None:
        self.admit.submit(self.message(), recipients, self.told.append)


def test_mail_is_ours_when_it_is_durable_and_not_before() -> None:
    door = Door()
    door.submit(Recipient("u@a.test", "a.test"))
    assert (door.told, door.admit.submitted, door.queues.demands) == ([], 1, [])
    door.queues.spool.sync()
    assert (door.told, door.admit.submitted) == ([None], 0)
    assert [line.key for line in door.queues.demands] == [("default", "default", "a.test")]


def test_it_is_in_its_line_before_the_peer_is_told() -> None:
    door = Door()
    seen: list[int] = []
    door.admit.submit(
        door.message(),
        [Recipient("u@a.test", "a.test")],
        lambda error: seen.append(door.queues.board.active),
    )
    door.queues.spool.sync()
    assert seen == [1]


def test_what_could_not_be_made_durable_is_not_queued() -> None:
    door = Door()
    door.submit(Recipient("u@a.test", "a.test"))
    error = SpoolError("no", full=True)
    door.queues.spool.sync(error)
    assert door.told == [error]
    assert door.queues.board.active == 0


def test_the_refusal_of_the_spool_is_passed_on_and_the_message_forgotten() -> None:
    door = Door()
    spool = door.queues.spool
    spool.intake, spool.refusal = False, SpoolError("broken")
    assert door.admit.refusal() is spool.refusal
    door.submit(Recipient("u@a.test", "a.test"))
    assert door.told == [spool.refusal]
    assert len(spool.forgotten) == 1
    assert door.admit.submitted == 0


def test_domain_and_binding_are_given_where_policy_gave_none() -> None:
    door = Door()
    recipient = Recipient("u@A.Test", "")
    door.submit(recipient)
    assert (recipient.domain, recipient.binding_group, recipient.binding) == (
        "a.test",
        "default",
        "default",
    )
    chosen = Recipient("u@a.test", "relay.test", "g", "b1")
    door.submit(chosen)
    assert (chosen.domain, chosen.binding) == ("relay.test", "b1")


def test_a_recipient_without_a_domain_is_refused() -> None:
    door = Door()
    door.submit(Recipient("postmaster", ""))
    assert door.told == [NO_DOMAIN]


def test_a_group_gives_its_bindings_in_turn_and_those_first_which_may_send() -> None:
    door = Door()
    Suspensions(door.queues.board).suspend(Where(binding="never"))
    given = [Recipient("u@a.test", "a.test", "g") for _ in range(4)]
    for each in given:
        door.submit(each)
    assert sorted(each.binding for each in given) == ["b1", "b1", "b2", "b2"]
    Suspensions(door.queues.board).suspend(Where(binding="b1"))
    given = [Recipient("u@a.test", "a.test", "g") for _ in range(4)]
    for each in given:
        door.submit(each)
    assert {each.binding for each in given} == {"b2"}


def test_a_group_without_bindings_is_the_default_binding() -> None:
    door = Door()
    recipient = Recipient("u@a.test", "a.test", "gone")
    door.submit(recipient)
    assert (recipient.binding_group, recipient.binding) == ("default", "default")


def test_default_binding_none_refuses_what_policy_did_not_place() -> None:
    door = Door()
    door.queues.configuration.tops[ServerLimits] = ServerLimits.make(default_binding="none")
    door.submit(Recipient("u@a.test", "a.test"))
    door.submit(Recipient("u@a.test", "a.test", "g", "b1"))
    assert door.told == [NO_BINDING]
    assert (NO_BINDING.code, door.admit.submitted) == (451, 1)


def test_default_binding_suspended_keeps_the_mail() -> None:
    queues = Queues()
    queues.configuration.tops[ServerLimits] = ServerLimits.make(default_binding="suspended")
    queues.start()
    assert queues.put("a.test").take(1) == []
    assert len(queues.put("a.test", binding="b1").take(1)) == 1


@pytest.mark.parametrize("short", ["spool", "memory"])
def test_it_refuses_while_spool_or_memory_say_no(short: str) -> None:
    door = Door()
    door.queues.spool.intake = short != "spool"
    door.admit.roomy = short != "memory"
    refused = NO_SPOOL if short == "spool" else NO_MEMORY
    assert door.admit.refusal() is refused
    door.submit(Recipient("u@a.test", "a.test"))
    assert (door.told, refused.code, door.admit.submitted) == ([refused], 452, 0)


def test_reports_are_taken_when_memory_is_short_but_not_without_a_spool() -> None:
    door = Door()
    door.admit.roomy = False
    door.admit.inject(door.message(), [Recipient("u@a.test", "a.test")], door.told.append)
    assert (door.told, door.admit.submitted) == ([], 1)
    door.queues.spool.intake = False
    door.admit.inject(door.message(), [Recipient("u@a.test", "a.test")], door.told.append)
    assert door.told == [NO_SPOOL]


# Told before it is written: _unsafe_spool.


class Trusting(Door):
    def __init__(self) -> None:
        super().__init__()
        self.lost: list[tuple[Message, SpoolError]] = []
        self.admit.lost = lambda *what: self.lost.append(what)
        self.admit.trust(memory=True)


def test_who_trusts_the_memory_is_told_at_once_and_mail_goes_out_when_it_is_written() -> None:
    door = Trusting()
    door.submit(Recipient("u@a.test", "a.test"))
    assert (door.told, door.admit.submitted, door.queues.board.active) == ([None], 1, 0)
    door.queues.spool.sync()
    assert (door.told, door.admit.submitted, door.queues.board.active) == ([None], 0, 1)
    assert door.lost == []


def test_what_is_lost_then_is_told_to_us_as_the_peer_will_not_come_again() -> None:
    door = Trusting()
    door.submit(Recipient("u@a.test", "a.test"))
    error = SpoolError("no", full=True)
    door.queues.spool.sync(error)
    assert door.told == [None]
    assert [why for _, why in door.lost] == [error]
    assert (door.queues.board.active, len(door.queues.spool.forgotten)) == (0, 1)


def test_while_the_disk_is_behind_even_they_wait() -> None:
    door = Trusting()
    door.queues.spool.crowded = True
    door.submit(Recipient("u@a.test", "a.test"))
    assert door.told == []
    error = SpoolError("no", full=True)
    door.queues.spool.sync(error)
    assert (door.told, door.lost) == ([error], [])


def test_a_report_of_ours_is_written_before_what_it_is_about_ends() -> None:
    door = Trusting()
    door.admit.inject(door.message(), [Recipient("u@a.test", "a.test")], door.told.append)
    assert door.told == []
    door.queues.spool.sync()
    assert door.told == [None]


def test_trust_ends_with_the_option() -> None:
    door = Trusting()
    door.admit.trust(memory=False)
    door.submit(Recipient("u@a.test", "a.test"))
    assert door.told == []


def test_of_several_contents_the_one_which_keeps_its_id_is_written_last() -> None:
    """So where it is found after a crash the others are there, too."""
    door = Door()
    first, made = door.message(), door.message()
    first.batch = 7
    lots = [(first, [Recipient("a@a.test", "a.test")]), (made, [Recipient("b@a.test", "a.test")])]
    door.admit.submit_all(lots, door.told.append)
    assert [each[0].address for each, _ in door.queues.spool.waiting] == ["b@a.test", "a@a.test"]
    door.queues.spool.sync()
    assert door.told == [None]


def test_mail_from_elsewhere_waits_while_memory_is_short_and_is_told_when_it_is_durable() -> None:
    door = Door()
    door.admit.trust(memory=True)
    door.admit.bring(door.message(), [Recipient("u@a.test", "a.test")], door.told.append)
    assert door.told == []
    door.queues.spool.sync()
    door.admit.roomy = False
    door.admit.bring(door.message(), [Recipient("u@a.test", "a.test")], door.told.append)
    assert door.told == [None, NO_MEMORY]
