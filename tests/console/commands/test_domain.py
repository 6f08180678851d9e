"""One domain, with all that is known of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from angarium.net.answer import Mx
from angarium.outbound.hosts import Hosts
from angarium.wire import dns as wire
from helpers.consoles import FakeServer, Talk
from helpers.mail import worker
from helpers.policies import policies
from helpers.queues import Queues

CONFIG = "domain a.test { max_outbound_connections = 20 }\n"


TLSA = SimpleNamespace(
    records=(b"\x03\x01\x01" + bytes(32),), ttl=lambda now: 120.0, authentic=True
)


def talk(tmp_path: Path, mx: Any) -> Talk:
    server, queues = FakeServer(tmp_path, CONFIG), Queues()
    line = queues.put("a.test", "a.test")
    line.failures = 2
    queues.defer(line.take(1)[0], 600)
    parts = server.node.parts["worker 0"] = worker(queues, tmp_path)
    address = SimpleNamespace(
        records=("192.0.2.1", "192.0.2.2"), ttl=lambda now: 30.0, authentic=True
    )
    other = SimpleNamespace(records=(Mx(7, "mx.a.test"),))
    resolver = SimpleNamespace(
        cached_mx=lambda name: mx,
        cached_address=lambda name: address,
        known=lambda: [("b.test", wire.MX)],
        peek=lambda name, kind: TLSA if kind == wire.TLSA else other,
    )
    parts.naming = SimpleNamespace(resolver=resolver)
    parts.demanding = SimpleNamespace(policies=policies(queues.clock, tmp_path))
    known = Hosts(queues.clock)
    known.reached("192.0.2.2", "", 0.0125)
    known.served("192.0.2.2", 2, 0.5)
    known.failed("192.0.2.1", "", 9.0)
    parts.pool.dialer = SimpleNamespace(hosts=known)
    return Talk(server)


async def test_what_is_known_of_a_domain_is_printed(tmp_path: Path) -> None:
    record = Mx(5, "mx.a.test")
    mx = SimpleNamespace(records=(record,), ttl=lambda now: 60.0, authentic=True)
    assert (await talk(tmp_path, mx).say("domain A.test")).splitlines() == [
        "Domain a.test {",
        "  max_outbound_connections = 20",
        "}",
        "Domain 'a.test' has 1 MXs and a TTL of 60 seconds +dnssec",
        "  [5 mx.a.test TTL:30] +dnssec",
        "TLSA '_25._tcp.mx.a.test' has a TTL of 120 seconds +dnssec",
        "  3 1 1 " + "00" * 32,
        " *      [192.0.2.1] IPv4 (0.00ms con 0.00ms dlv) 0.00s since failure, again in 9.00s",
        "        [192.0.2.2] IPv4 (12.50ms con 250.00ms dlv)",
        "                (also used by b.test pref 7)",
        "Domain 'a.test' has MTA-STS TXT and a TTL of 185 seconds",
        "        id: 20190429T010101",
        "        max_age: 86400 seconds; refresh in 86375 seconds",
        "        mode: enforce",
        "        mxlist:",
        "               mx.a.test",
        "Domain has had 2 consecutive connection failures",
        "Queue:",
        "        Active:          1",
        "        Delayed:         1",
        "Deliveries:         0",
        "Failures:           0",
        "Active Connections: 0",
    ]


async def test_a_domain_nobody_asked_for_is_said_so(tmp_path: Path) -> None:
    said = await talk(tmp_path, None).say("domain b.test")
    assert said.startswith("Domain 'b.test' is not in the cache")
    assert (await talk(tmp_path, None).plain("domain b.test"))["known"] is False
