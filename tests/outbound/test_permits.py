"""What a connection is counted as."""

from angarium.config.kinds import Cap
from angarium.outbound.permits import Permit, limits_at, limits_of
from angarium.queue.options import HostLimits, ServerLimits, Shape
from angarium.queue.throttle import LocalLedger
from helpers.clock import FakeClock

KEY = ("default", "b1", "example.test")
SERVER = ServerLimits.make(
    server_max_outbound_connections=Cap(10, "server"), server_reserve_outbound_connections=2
)


class Waiting:
    """Other lines of the worker, which wait for some keys."""

    def __init__(self, *keys: str) -> None:
        self.keys = set(keys)
        self.asked = 0

    def others_wait(self, key: str) -> bool:
        self.asked += 1
        return key in self.keys

    def give_way(self, key: str) -> bool:
        return self.others_wait(key)


def test_a_permit_is_all_or_nothing() -> None:
    ledger = LocalLedger(FakeClock())
    assert Permit(ledger).acquire([("a", 1), ("b", 1)])
    second = Permit(ledger)
    assert not second.acquire([("c", 1), ("b", 1)])
    assert second.denied == "b"
    assert (ledger.count("a"), ledger.count("c")) == (1, 0)


def test_a_permit_is_given_back_once() -> None:
    ledger = LocalLedger(FakeClock())
    permit = Permit(ledger)
    permit.acquire([("a", 2), ("h", 2)])
    permit.give_back([("h", 2)])
    assert (ledger.count("a"), ledger.count("h")) == (1, 0)
    permit.release()
    permit.release()
    assert ledger.count("a") == 0
    assert not permit.wanted()


def test_a_permit_is_wanted_by_lines_of_this_worker_and_by_other_workers() -> None:
    ledger, others = LocalLedger(FakeClock()), Waiting()
    permit = Permit(ledger, others)
    permit.acquire([("a", 1), ("b", 1)])
    assert not ledger.acquire("a", 1)
    others.keys.add("c")
    assert not permit.wanted()
    assert not permit.give_way()
    others.keys.add("b")
    assert permit.wanted()
    assert permit.give_way()
    assert permit.holds("b")
    permit.release()
    assert not permit.wanted()
    assert not permit.holds("b")


def test_nobody_is_asked_while_nobody_waits_for_anything() -> None:
    others = Waiting("a")
    permit = Permit(LocalLedger(FakeClock()), others)
    permit.acquire([("a", 1)])
    assert not permit.wanted()
    assert not permit.give_way()
    assert others.asked == 0


def test_the_limits_of_a_line_its_stanza_and_the_server() -> None:
    shape = Shape.make(
        max_outbound_connections=5,
        scope_max_outbound_connections=Cap(7, "domain"),
        server_max_outbound_connections=Cap(10, "server"),
    )
    assert limits_of(KEY, shape, SERVER, first=False) == [
        ("line:default/b1/example.test", 5),
        ("cap:domain", 7),
        ("cap:server", 10),
    ]


def test_the_first_connection_may_use_the_reserve() -> None:
    shape = Shape.make(
        max_outbound_connections=-1, server_max_outbound_connections=Cap(3, "binding b1")
    )
    limits = limits_of(KEY, shape, SERVER, first=True)
    assert limits == [("cap:binding b1", 3), ("cap:server", 12)]


def test_a_host_has_a_limit_only_by_a_stanza_of_its_own() -> None:
    assert limits_at("mx.test", HostLimits.make(max_outbound_connections=-1)) == []
    limited = HostLimits.make(max_outbound_connections=3)
    assert limits_at("mx.test", limited) == [("host:mx.test", 3)]
    covered = HostLimits.make(
        max_outbound_connections=3, scope_max_outbound_connections=Cap(4, "host /x/")
    )
    assert limits_at("mx.test", covered) == [("host:mx.test", 3), ("cap:host /x/", 4)]
