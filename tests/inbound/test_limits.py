"""Sessions at once, and messages in a time."""

from angarium.core.units import Rate
from angarium.inbound.limits import Seat
from angarium.queue.throttle import Grant, LocalLedger
from helpers.reception import LISTEN, Desk

BUSY = ["421 4.4.5 Service unavailable, concurrency limit reached"]
OTHER = ("192.0.2.10", 1)


def test_sessions_of_an_address_are_limited_and_a_leaving_one_makes_room() -> None:
    desk = Desk(listener="sessions_per_address = 2")
    first, second, third = desk.connect(), desk.connect(), desk.connect()
    assert first.heard()[0].startswith("220")
    assert second.heard()[0].startswith("220")
    assert third.heard() == BUSY
    assert third.transport.over
    assert desk.connect(OTHER).heard()[0].startswith("220")
    third.lose()
    first.lose()
    assert desk.connect().heard()[0].startswith("220")
    assert desk.rejections[0].phase == 18


def test_sessions_of_a_listener_and_of_all_are_limited() -> None:
    for listener, options in (
        ("listener_sessions = 1", ""),
        ("service_sessions = 1", ""),
        ("", "max_sessions = 1"),
    ):
        desk = Desk(options, listener=listener)
        desk.connect()
        assert desk.connect(OTHER).heard() == BUSY


def test_a_denied_session_holds_nothing() -> None:
    desk = Desk("max_sessions = 3", listener="listener_sessions = 1")
    desk.connect()
    for _ in range(5):
        assert desk.connect().heard() == BUSY
    desk.services.profiles = Desk.profiles("max_sessions = 3", "listener_sessions = 3")
    assert desk.connect().heard()[0].startswith("220")


class BusyLedger(LocalLedger):
    """A ledger whose row another worker holds the first times it is asked."""

    __slots__ = ("busy",)

    busy: int

    def acquire(self, key: str, cap: int) -> Grant:
        if self.busy:
            self.busy -= 1
            return Grant.BUSY
        return super().acquire(key, cap)


def test_while_the_ledger_is_busy_the_banner_waits() -> None:
    desk = Desk()
    ledger = BusyLedger(desk.clock)
    ledger.busy = 2
    desk.services.ledger = ledger
    talk = desk.connect()
    talk.send(b"EHLO early\r\n")
    assert talk.heard() == []
    for _ in range(2):
        desk.wait(0.01)
    assert [line[:3] for line in talk.heard()][:2] == ["220", "250"]


def test_a_peer_which_leaves_before_it_is_seated_is_forgotten() -> None:
    desk = Desk()
    ledger = BusyLedger(desk.clock)
    ledger.busy = 1
    desk.services.ledger = ledger
    talk = desk.connect()
    talk.lose()
    desk.wait(0.01)
    assert talk.heard() == []


def test_leaving_twice_gives_back_once() -> None:
    desk = Desk(listener="sessions_per_address = 1")
    profile = desk.services.profiles.at(LISTEN, "192.0.2.1")
    seat = Seat(desk.ledger, profile, LISTEN, "192.0.2.1")
    assert seat.take()
    seat.leave()
    seat.leave()
    again = [Seat(desk.ledger, profile, LISTEN, "192.0.2.1") for _ in range(2)]
    assert [bool(each.take()) for each in again] == [True, False]


def test_a_throttled_message_waits_for_its_permit() -> None:
    desk = Desk("inbound_throttle_messages = 1/10")
    talk = desk.greeted()
    assert talk.say("MAIL FROM:<>") == ["250 2.0.0 MAIL FROM accepted"]
    other = desk.greeted()
    assert other.say("MAIL FROM:<>") == []
    desk.wait(9)
    assert other.heard() == []
    desk.wait(2)
    assert other.heard() == ["250 2.0.0 MAIL FROM accepted"]


def test_who_would_wait_too_long_for_a_permit_is_answered_4xx() -> None:
    desk = Desk("inbound_throttle_messages = 1/1000")
    desk.greeted().say("MAIL FROM:<>")
    talk = desk.greeted()
    reply = "451 4.3.0 Resource limitations, please try later"
    assert talk.say("MAIL FROM:<>") == [reply]
    assert talk.say("RCPT TO:<b@mx.example>") == ["503 5.5.1 RCPT TO without MAIL FROM"]


def test_a_throttle_is_shared_by_sessions() -> None:
    desk = Desk("inbound_throttle_messages = 2/60")
    taken = sum(len(desk.greeted().say("MAIL FROM:<>")) for _ in range(5))
    assert taken < 5
    assert Rate(2, 60).interval == 30


def test_a_client_whose_address_nobody_knows_is_counted_by_no_address() -> None:
    desk = Desk("max_sessions = 2", listener="sessions_per_address = 1")
    profile = desk.services.profiles.at(LISTEN, "192.0.2.1")
    seats = [Seat(desk.ledger, profile, LISTEN, "") for _ in range(3)]
    assert [each.take() for each in seats] == [Grant.GRANTED, Grant.GRANTED, Grant.DENIED]
