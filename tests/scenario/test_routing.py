"""Which host a domain's mail goes to: MX, A, null MX, loops, families, gateways and routes."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from helpers.outlook import Outlook, Watched, second

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
esmtp_listener { listen "127.0.0.9:{sink}" { } }
generate_bounces = false
use_ipv6 = true
max_mx_hosts = 3
max_cname_depth = 3
connect_timeout = 5
skip_hosts = ( "127.0.0.66/32" )
prohibited_hosts = ( "127.0.0.77/32" )
relay_domains = ( "ours.test" )
domain "gateway.test" { gateway = "relay.test" }
domain "routes.test" { routes = ( "127.0.0.40" "smtp://127.0.0.2" "__mx__" ) }
domain "byroute.test" { routes = ( "127.0.0.40" "__mx__" ) }
domain "self.test" { routes = ( "127.0.0.9" ) }
binding "default" { bind_address = "127.0.0.100" }
"""
ZONE = """
mx1.test A 127.0.0.1
mx2.test A 127.0.0.2
mx3.test A 127.0.0.3
dead.test A 127.0.0.40
dead1.test A 127.0.0.41
dead2.test A 127.0.0.42
dead3.test A 127.0.0.43
us.test A 127.0.0.9
six.test AAAA ::1
skipped.test A 127.0.0.66
private.test A 127.0.0.77

best.test MX 20 mx1.test
best.test MX 10 mx2.test
next.test MX 10 dead.test
next.test MX 20 mx2.test
next.test A 127.0.0.1
plain.test A 127.0.0.3
null.test MX 0 .
dangling.test MX 10 nowhere.test
alias.test CNAME one.test
one.test CNAME two.test
two.test CNAME best.test
long.test CNAME l1.test
l1.test CNAME l2.test
l2.test CNAME l3.test
l3.test CNAME l4.test
l4.test CNAME best.test
many.test MX 1 dead1.test
many.test MX 2 dead2.test
many.test MX 3 dead2.test
many.test MX 4 mx1.test
loop.test MX 10 us.test
loop.test MX 20 mx1.test
backup.test MX 5 mx2.test
backup.test MX 10 us.test
backup.test MX 20 mx1.test
sixonly.test MX 10 six.test
sixfirst.test MX 10 six.test
sixfirst.test MX 20 mx1.test
passed.test MX 10 skipped.test
passed.test MX 20 mx3.test
forbidden.test MX 10 private.test
forbidden.test MX 20 mx3.test
ours.test MX 10 dead3.test
ours.test MX 20 mx1.test
relay.test MX 10 mx3.test
routes.test MX 10 mx1.test
byroute.test MX 10 mx3.test
"""


NO_CONNECTION = "451 4.4.1 [internal] No valid hosts (unable to make any connections)"


class Hosts:
    """The node and three mail hosts."""

    def __init__(self, world: Outlook, sinks: dict[str, Watched]) -> None:
        self.world = world
        self.sinks = sinks

    async def host_of(self, recipient: str) -> str:
        """Send to the recipient; return the address of the host which got it."""
        await self.world.mail(recipient)

        def found() -> list[str]:
            return [
                address
                for address, sink in self.sinks.items()
                for each in sink.accepted
                if recipient in each.recipients
            ]

        await self.world.until(found, f"mail for {recipient}")
        return found()[0]

    async def reason(self, recipient: str, kind: str) -> str:
        """Send to the recipient; return why that fails."""
        await self.world.mail(recipient)
        domain = recipient.rpartition("@")[2]
        return (await self.world.records("mainlog", kind, domain))[0][13]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hosts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hosts]:
    async with Outlook(tmp_path_factory.mktemp("routing"), CONFIG, ZONE) as world:
        others = {address: await second(world, address) for address in ("127.0.0.2", "127.0.0.3")}
        yield Hosts(world, {"127.0.0.1": world.sink, **others})
        for sink in others.values():
            await sink.stop()


@pytest.mark.parametrize(
    ("recipient", "host"),
    [
        ("b@best.test", "127.0.0.2"),
        ("b@next.test", "127.0.0.2"),
        ("b@plain.test", "127.0.0.3"),
        ("b@alias.test", "127.0.0.2"),
        ("b@backup.test", "127.0.0.2"),
        ("b@sixfirst.test", "127.0.0.1"),
        ("b@passed.test", "127.0.0.3"),
        ("b@gateway.test", "127.0.0.3"),
        ("b@routes.test", "127.0.0.2"),
        ("b@byroute.test", "127.0.0.3"),
        ("b@[127.0.0.3]", "127.0.0.3"),
    ],
)
async def test_mail_goes_to_the_host_which_names_and_options_say(
    hosts: Hosts, recipient: str, host: str
) -> None:
    assert await hosts.host_of(recipient) == host


@pytest.mark.parametrize(
    ("recipient", "kind", "reason"),
    [
        ("b@missing.test", "P", "554 5.4.4 [internal] Domain Lookup Failed"),
        ("b@null.test", "P", "550 5.4.4 [internal] NULL MX domain does not accept mail"),
        ("b@dangling.test", "T", "451 4.4.1 [internal] No valid hosts"),
        ("b@long.test", "T", "454 4.4.4 [internal] no MX or A for domain"),
        ("b@many.test", "T", NO_CONNECTION),
        (
            "b@loop.test",
            "P",
            "554 5.4.6 [internal] mail for this domain loops back to this host",
        ),
        ("b@self.test", "T", "451 4.4.6 [internal] route names this host only"),
        ("b@sixonly.test", "T", "451 4.4.1 [internal] No valid hosts"),
        ("b@forbidden.test", "P", "551 5.4.6 [internal] Private/Loopback Address"),
        ("b@ours.test", "T", NO_CONNECTION),
    ],
)
async def test_mail_without_a_host_says_why(
    hosts: Hosts, recipient: str, kind: str, reason: str
) -> None:
    assert await hosts.reason(recipient, kind) == reason


async def test_an_address_of_ipv6_is_used_by_a_binding_which_has_ipv6(hosts: Hosts) -> None:
    world = hosts.world
    six = await second(world, "::1")
    try:
        await world.reload(CONFIG.replace('bind_address = "127.0.0.100"', ""))
        await world.mail("c@sixonly.test")
        await world.until(lambda: six.accepted, "mail by IPv6")
        [delivered] = await world.records("mainlog", "D", "sixonly.test")
        assert delivered[11] == "::1"
    finally:
        await six.stop()
