"""What a worker knows of the hosts of a domain."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from angarium.console.questions.domains import Domain, Host, hosts
from helpers.mail import worker
from helpers.queues import Queues


def parts(tmp_path: Path, mx: Any, rest: float = 0.0) -> Any:
    queues = Queues()
    queues.put("a.test").failures = 3
    made = worker(queues, tmp_path)
    now = queues.clock.monotonic()
    address = SimpleNamespace(records=("192.0.2.1",), ttl=lambda now: 30.0)
    resolver = SimpleNamespace(cached_mx=lambda name: mx, cached_address=lambda name: address)
    made.naming = SimpleNamespace(resolver=resolver)
    paused = SimpleNamespace(paused_until=lambda address, source: now + rest if rest else 0.0)
    made.pool.dialer = SimpleNamespace(hosts=paused)
    return made


def test_hosts_are_told_with_their_addresses(tmp_path: Path) -> None:
    record = SimpleNamespace(preference=5, host="mx.a.test")
    mx = SimpleNamespace(records=(record,), ttl=lambda now: 60.0)
    host = Host(5, "mx.a.test", 30.0, [("192.0.2.1", 0.0)])
    assert hosts.function(parts(tmp_path, mx), "a.test") == Domain(True, 60.0, [host], 3)
    [found] = hosts.function(parts(tmp_path, mx, 9.0), "a.test").hosts
    assert round(found.addresses[0][1]) == 9


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    assert hosts.function(parts(tmp_path, None), "a.test") == Domain(False, 0.0, [], 3)


def test_of_several_workers_who_asked_last_is_heard() -> None:
    known = Domain(True, 9.0, [Host(1, "mx", 1.0, [])], 0)
    assert (Domain(False, 0.0, [], 2) + known) == Domain(True, 9.0, known.hosts, 2)
    assert (known + Domain(True, 3.0, [], 0)).hosts == known.hosts
