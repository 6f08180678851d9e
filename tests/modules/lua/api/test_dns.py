import asyncio
from collections.abc import Iterator

import pytest

from angarium.modules.lua.api.dns import MOST_SERVERS, OtherServers
from angarium.modules.lua.errors import LuaError, ScriptError
from angarium.modules.lua.services import Services
from angarium.net.dnscache import Resolver
from helpers.clock import FakeClock
from helpers.dns import DnsServer, FakeDns
from helpers.lua import services
from helpers.snippets import running, state

ZONE = """
a.example               A     192.0.2.1
a.example               A     192.0.2.2
a.example               AAAA  2001:db8::1
a.example               TXT   v=spf1 -all
a.example               MX    20 mx2.example
a.example               MX    10 mx1.example
a.example               NS    ns.example
1.2.0.192.in-addr.arpa  PTR   host.example
alias.example           CNAME a.example
dead.example            SERVFAIL
slow.example            TIMEOUT
"""


@pytest.fixture
def with_names() -> Services:
    made = services()
    made.parts[Resolver] = FakeDns(ZONE)
    return made


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ('"a.example"', [b"192.0.2.1", b"192.0.2.2"]),
        ('"a.example", "a"', [b"192.0.2.1", b"192.0.2.2"]),
        ('"alias.example", "A"', [b"192.0.2.1", b"192.0.2.2"]),
        ('"a.example", "AAAA"', [b"2001:db8::1"]),
        ('"a.example", "TXT"', [b"v=spf1 -all"]),
        ('"a.example", "MX"', [b"mx1.example", b"mx2.example"]),
        ('"a.example", "MX", { priority = true }', [[10, b"mx1.example"], [20, b"mx2.example"]]),
        ('"a.example", "NS"', [b"ns.example"]),
        ('"1.2.0.192.in-addr.arpa", "PTR"', [b"host.example"]),
        ('"192.0.2.1", "PTR"', [b"host.example"]),
        ('"none.example"', [None, b"NXDOMAIN"]),
        ('"dead.example"', [None, b"SERVFAIL"]),
        ('"slow.example"', [None, b"TIMEOUT"]),
    ],
)
async def test_records_are_a_table_and_failures_have_a_name(
    arguments: str, found: object, with_names: Services
) -> None:
    assert await running(f"return msys.dnsLookup({arguments})", state(with_names)) == found


async def test_a_name_without_such_records_is_an_empty_table(with_names: Services) -> None:
    source = 'local found, err = msys.dnsLookup("alias.example", "SOA"); return #found, err'
    assert await running(source, state(with_names)) == [0, None]


async def test_another_type_is_an_error(with_names: Services) -> None:
    with pytest.raises(ScriptError, match="no records of type 'WKS'"):
        await running('return msys.dnsLookup("a.example", "WKS")', state(with_names))


async def test_without_a_resolver_it_is_said_so() -> None:
    with pytest.raises(ScriptError, match="DNS is not available here"):
        await running('return msys.dnsLookup("a.example")', state())


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer("other.example A 192.0.2.9") as made:
        yield made


async def test_another_server_may_be_asked(server: DnsServer, with_names: Services) -> None:
    where = server.address
    source = f"""
        local one = msys.dnsLookup("other.example", "A", {{ server = "{where}" }})
        local two, err = msys.dnsLookup("other.example", "A")
        return one[1], two, err
    """
    lua = state(with_names)
    assert await running(source, lua) == [b"192.0.2.9", None, b"NXDOMAIN"]
    others = with_names.parts[OtherServers]
    assert isinstance(others, OtherServers)
    others.stop()


async def test_a_server_is_named_by_its_address(with_names: Services) -> None:
    with pytest.raises(ScriptError, match="is no address of a name server"):
        await running(
            'return msys.dnsLookup("a.example", "A", { server = "dns.example" })', state(with_names)
        )


async def test_servers_asked_long_ago_are_forgotten() -> None:
    others = OtherServers(asyncio.get_running_loop(), FakeClock())
    first = others.resolver("192.0.2.1")
    assert others.resolver("192.0.2.1") is first
    for number in range(2, MOST_SERVERS + 2):
        others.resolver(f"192.0.2.{number}")
    assert others.resolver("192.0.2.1") is not first
    with pytest.raises(LuaError):
        others.resolver("nowhere")
    others.stop()
