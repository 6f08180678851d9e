"""What a worker knows of the hosts of a domain."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from angarium.console.questions.domains import Address, Domain, Host, Tlsa, hosts
from angarium.net.answer import Mx
from angarium.outbound.hosts import Hosts
from angarium.wire import dns as wire
from helpers.mail import ended, worker
from helpers.queues import Queues


def parts(tmp_path: Path, mx: Any) -> Any:
    queues = Queues()
    queues.put("a.test").failures = 3
    made = worker(queues, tmp_path)
    address = SimpleNamespace(records=("192.0.2.1",), ttl=lambda now: 30.0, authentic=True)
    others: dict[tuple[str, int], tuple[Any, ...]] = {
        ("b.test", wire.MX): (Mx(7, "mx.a.test"),),
        ("mx.a.test", wire.A): ("192.0.2.1",),
        ("_25._tcp.mx.a.test", wire.TLSA): (b"\x03\x01\x01" + bytes(32), b"what"),
    }
    made.naming = SimpleNamespace(
        resolver=SimpleNamespace(
            cached_mx=lambda name: mx,
            cached_address=lambda name: address,
            known=lambda: [*others, ("a.test", wire.MX), ("gone.test", wire.MX)],
            peek=lambda name, kind: (
                SimpleNamespace(records=others[name, kind], ttl=lambda now: 20.0, authentic=True)
                if (name, kind) in others
                else None
            ),
        )
    )
    made.pool.dialer = SimpleNamespace(hosts=Hosts(queues.clock))
    return made


MX = SimpleNamespace(records=(Mx(5, "mx.a.test"),), ttl=lambda now: 60.0, authentic=False)
RECORDS = Tlsa("_25._tcp.mx.a.test", 20.0, True, ["3 1 1 " + "00" * 32, "119 104 97 74"])


def test_hosts_are_told_with_their_addresses_and_who_else_has_them(tmp_path: Path) -> None:
    host = Host(5, "mx.a.test", 30.0, [Address("192.0.2.1")], [("b.test", 7)], True, RECORDS)
    assert ended(hosts.function(parts(tmp_path, MX), "a.test")) == Domain(True, 60.0, [host], 3)


def test_an_address_is_told_with_its_times_and_its_pause(tmp_path: Path) -> None:
    worker = parts(tmp_path, MX)
    known = worker.pool.dialer.hosts
    known.reached("192.0.2.1", "", 0.5)
    known.served("192.0.2.1", 4, 8.0)
    known.failed("192.0.2.1", "", 9.0)
    worker.clock.advance(2.0)
    [found] = ended(hosts.function(worker, "a.test")).hosts
    assert found.addresses == [Address("192.0.2.1", 7.0, 2.0, 0.5, 2.0)]


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    found = ended(hosts.function(parts(tmp_path, None), "a.test"))
    assert found == Domain(False, 0.0, [], 3)


def test_of_several_workers_who_asked_last_is_heard() -> None:
    known = Domain(True, 9.0, [Host(1, "mx", 1.0, [])], 0)
    assert (Domain(False, 0.0, [], 2) + known) == Domain(True, 9.0, known.hosts, 2)
    assert (known + Domain(True, 3.0, [], 0)).hosts == known.hosts
