"""Mail queued under another domain: rerouted, when it was delayed, and by what its MX host says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from helpers.outlook import Outlook, Watched, second

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "providers"

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
generate_bounces = false
domain "away.test" { reroute_domain = "relay.test" }
domain "relay.test" { delayed_reroute_domain = disabled }
domain "busy.test" { delayed_reroute_domain = "relay.test"  retry_interval = 3600 }
domain "dead.test" {
  delayed_reroute_domain = "relay.test"
  mx_failures_to_delay = 1
  retry_interval = 3600
}
host "mx.rolled.test" { rollup_mx = true  rollup_mx_name = "rolled.test" }
host "/^circle[.]test$/" { rollup_mx = true  rollup_mx_name = "round.test" }
host "round.test" { rollup_mx = true  rollup_mx_name = "circle.test" }
domain "rolled.test" { max_outbound_connections = 1 }
domain "kept.test" { reroute_domain = "later.test" }
domain "later.test" { suspend_delivery = true }
"""
ZONE = """
away.test A 127.0.0.2
relay.test A 127.0.0.1
busy.test A 127.0.3.1
dead.test A 127.0.3.9
one.cust.test MX 10 mx.rolled.test
two.cust.test MX 10 mx.rolled.test
mx.rolled.test A 127.0.3.9
rolled.test A 127.0.3.2
circle.test A 127.0.0.1
round.test A 127.0.0.1
kept.test A 127.0.0.2
later.test A 127.0.0.1
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outlook]:
    folder = tmp_path_factory.mktemp("detours")
    async with Outlook(folder, CONFIG, ZONE, workers=2) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def sink(world: Outlook, request: pytest.FixtureRequest) -> AsyncIterator[Watched]:
    address, script = request.param
    sink = await second(world, address, script)
    yield sink
    await sink.stop()


def at(address: str, script: str = "") -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sink", [(address, script)], indirect=True, ids=[""])


@pytest.mark.effect("reroute_domain")
async def test_mail_of_a_rerouted_domain_goes_to_the_hosts_of_the_other(world: Outlook) -> None:
    await world.mail("b@away.test")
    [letter] = await world.came("b@away.test")
    assert letter.recipients == ["b@away.test"]
    [row] = [row for row in await world.records("mainlog", "D", "relay.test") if row[1]]
    assert "b@away.test" not in row


@pytest.mark.effect("delayed_reroute_domain")
@at("127.0.3.1", "at rcpt reply 451 4.2.1 not now")
async def test_mail_which_failed_for_now_is_tried_again_as_that_of_the_other_domain(
    world: Outlook, sink: Watched
) -> None:
    await world.mail("b@busy.test")
    await world.came("b@busy.test")
    assert len(await world.records("mainlog", "T", "busy.test")) == 1
    assert not sink.accepted


async def test_all_mail_of_a_domain_without_hosts_goes_the_other_way(world: Outlook) -> None:
    await world.mail("b@dead.test")
    await world.came("b@dead.test")
    await world.mail("c@dead.test")
    await world.came("c@dead.test")


@pytest.mark.effect("rollup_mx", "rollup_mx_name")
@at("127.0.3.2", "at dot delay 20ms answer")
async def test_domains_of_one_mail_server_are_one_domain(world: Outlook, sink: Watched) -> None:
    for _ in range(4):
        await world.mails(2, "b@one.cust.test")
        await world.mails(2, "b@two.cust.test")
    await sink.until(16)
    assert sink.most == 1
    rows = await world.records("mainlog", "D", "rolled.test", 16)
    assert len(rows) == 16
    assert world.rows("mainlog", "D", "one.cust.test") == []


async def test_servers_which_name_each_other_get_their_mail_all_the_same(world: Outlook) -> None:
    for _ in range(3):
        await world.mail("b@circle.test", "b@round.test")
    await world.came("b@circle.test", 3)
    await world.came("b@round.test", 3)


async def test_where_mail_was_queued_is_known_after_a_restart(world: Outlook) -> None:
    await world.mail("b@kept.test")
    world.configure(CONFIG.replace("suspend_delivery = true", ""))
    await world.again(kill=True)
    await world.came("b@kept.test")
    assert len(await world.records("mainlog", "D", "later.test")) == 1


class Shown(Outlook):
    """The server of the example, its ports and name server being ours."""

    def configure(self, extra: str) -> None:
        text = (EXAMPLE / "ecelerity.conf").read_text("utf-8")
        text = text.replace("127.0.0.1:2525", f"127.0.0.1:{self.port}")
        text = text.replace("port=2526", f"port={self.sink.port}")
        text = text.replace("retry_interval = 60", "retry_interval = 1")
        own = f"""
            dns_servers = ( "127.0.0.1:{self.dns.port}" )
            remote_smtp_port = {self.sink.port}
            eventloop "pool" {{ concurrency = 1 }}
        """
        self.config.write_text(text + own, encoding="utf-8")


async def test_the_example_sends_by_provider_and_leaves_what_waits_to_the_relay(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    zone = """
        one.example MX 10 a.mx.provider.example
        two.example MX 10 b.mx.provider.example
        provider.example MX 10 a.mx.provider.example
        a.mx.provider.example A 127.0.3.4
        b.mx.provider.example A 127.0.3.4
        busy.example A 127.0.3.4
        new.example A 127.0.3.4
    """
    folder = tmp_path_factory.mktemp("providers")
    async with Shown(folder, zone=zone) as world:
        provider = await second(world, "127.0.3.4", "at rcpt to *@busy.example reply 451 4.2.1 no")
        try:
            await world.mail("b@one.example")
            await world.mail("b@two.example", "b@old.example")
            await world.mail("b@busy.example")
            await provider.until(3)
            assert len(await world.records("mainlog", "D", "provider.example", 2)) == 2
            assert len(await world.records("mainlog", "D", "new.example")) == 1
            await world.came("b@busy.example")
            assert len(world.rows("mainlog", "T", "busy.example")) == 1
        finally:
            await provider.stop()
