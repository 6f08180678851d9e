"""Who may send where: the relay_* options, told apart by the address of the client."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from helpers.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

# 127.0.0.1 may send anywhere, as BASE says. A peer stanza takes that away.
CONFIG = """
relay_domains = ( "ours.test" "*.below.test" )
bounce_domains = ( "reports.test" )
pathway "closed" { relay_domains = ( "theirs.test" ) }
domain "hole.test" { blackhole = "inline" }
"""
LISTENER = """
  peer "127.0.0.2" { relay_hosts = () }
  peer "127.0.0.3" { relay_hosts = ( "127.0.0.3" ) }
  peer "127.0.0.4" { relay_hosts = () open_relay = true }
  peer "127.0.0.5" { relay_hosts = () relay_for_sending_domains = ( "customer.test" ) }
  peer "127.0.0.6" { relay_hosts = () pathway = "closed" }
  peer "127.0.0.7" {
    relay_hosts = ()
    domain_for_unqualified_recipient_addresses = "ours.test"
    domain_for_unqualified_sender_address = "host.test"
  }
  peer "127.0.0.8" {
    allow_null_envelope_sender = false
    allow_ip_literal = false
    require_ehlo = true
  }
"""
CONTENT = b"Subject: x\r\n\r\ntext\r\n"
DENIED = "550 5.7.1 relaying denied"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    async with World(folder, CONFIG, "* A 127.0.0.1", listener=LISTENER) as world:
        yield world


@pytest.mark.effect(
    "relay_domains",
    "bounce_domains",
    "relay_hosts",
    "open_relay",
    "relay_for_sending_domains",
    "pathway",
)
@pytest.mark.parametrize(
    ("source", "sender", "recipient", "taken"),
    [
        ("127.0.0.1", "a@sender.test", "b@other.test", True),
        ("127.0.0.2", "a@sender.test", "b@other.test", False),
        ("127.0.0.2", "a@sender.test", "b@ours.test", True),
        ("127.0.0.2", "a@sender.test", "b@OURS.Test", True),
        ("127.0.0.2", "a@sender.test", "b@below.test", False),
        ("127.0.0.2", "a@sender.test", "b@far.below.test", True),
        ("127.0.0.2", "a@sender.test", "b@notours.test", False),
        ("127.0.0.2", "", "b@reports.test", True),
        ("127.0.0.2", "", "b@other.test", False),
        ("127.0.0.2", "a@ours.test", "b@other.test", False),
        ("127.0.0.3", "a@sender.test", "b@other.test", True),
        ("127.0.0.4", "a@sender.test", "b@other.test", True),
        ("127.0.0.5", "a@customer.test", "b@other.test", True),
        ("127.0.0.5", "a@sender.test", "b@other.test", False),
        ("127.0.0.5", "", "b@other.test", False),
        ("127.0.0.6", "a@sender.test", "b@theirs.test", True),
        ("127.0.0.6", "a@sender.test", "b@ours.test", False),
        # What an open relay of long ago sent on for anybody.
        ("127.0.0.2", "a@sender.test", "b%other.test@ours.test", True),
        ("127.0.0.2", "a@sender.test", "@ours.test:b@other.test", False),
        ("127.0.0.2", "a@sender.test", '"b@other.test"@ours.test', True),
        ("127.0.0.2", "a@sender.test", "other.test!b@other.test", False),
    ],
)
async def test_who_may_send_to_whom(
    world: World, source: str, sender: str, recipient: str, taken: bool
) -> None:
    async with world.call(source) as caller:
        reply = await caller.envelope(sender, recipient)
        assert reply == ("250 2.0.0 RCPT TO accepted." if taken else DENIED)


async def test_a_percent_sign_or_quotes_do_not_lead_mail_elsewhere(world: World) -> None:
    async with world.call("127.0.0.2") as caller:
        await caller.envelope("a@sender.test", "b%other.test@ours.test", '"c@other.test"@ours.test')
        assert (await caller.data(CONTENT)).startswith("250 ")
    for line in await world.logged("mainlog", r"@R@.*other\.test@?\"?@ours\.test", 1):
        assert "@ours.test@" in line


async def test_a_denied_recipient_is_logged_and_leaves_the_others(world: World) -> None:
    async with world.call("127.0.0.2") as caller:
        assert await caller.envelope("a@sender.test", "x@ours.test", "y@denied.test") == DENIED
        assert (await caller.data(CONTENT)).startswith("250 ")
    assert (await world.arrived("x@ours.test")).recipients == ["x@ours.test"]
    [line] = await world.logged("rejectlog", r"y@denied\.test|denied\.test")
    assert "relaying denied" in line


async def test_all_recipients_denied_leave_nothing_to_send(world: World) -> None:
    async with world.call("127.0.0.2") as caller:
        assert await caller.envelope("a@sender.test", "y@denied.test") == DENIED
        assert await caller.say("DATA") == "503 5.5.1 DATA without RCPT TO"


@pytest.mark.effect(
    "domain_for_unqualified_recipient_addresses",
    "domain_for_unqualified_sender_address",
)
async def test_unqualified_addresses_get_their_domains_or_are_refused(world: World) -> None:
    async with world.call("127.0.0.7") as caller:
        assert (await caller.envelope("cron", "postmaster")).startswith("250 ")
        assert (await caller.data(CONTENT)).startswith("250 ")
    assert (await world.arrived("postmaster@ours.test")).sender == "cron@host.test"
    async with world.call() as caller:
        assert (await caller.say("MAIL FROM:<cron>")).startswith("501 5.5.")
        assert (await caller.envelope("a@sender.test", "bob")).startswith("501 5.5.")


@pytest.mark.effect("allow_null_envelope_sender", "allow_ip_literal")
async def test_null_senders_and_literals_are_refused_where_the_options_say_so(
    world: World,
) -> None:
    async with world.call("127.0.0.8") as caller:
        assert await caller.say("MAIL FROM:<>") == "550 5.7.1 null sender not accepted"
        assert (await caller.envelope("a@sender.test", "b@[127.0.0.1]")).startswith("501 5.5.")
    async with world.call() as caller:
        assert (await caller.envelope("", "b@[127.0.0.1]")).startswith("250 ")


@pytest.mark.effect("require_ehlo")
async def test_mail_before_the_greeting_is_refused_where_require_ehlo_says_so(
    world: World,
) -> None:
    for source, code in (("127.0.0.8", "550 5.5.1 "), ("127.0.0.1", "250 ")):
        async with world.call(source, hello="NOOP") as caller:
            assert (await caller.say("MAIL FROM:<a@sender.test>")).startswith(code)


async def test_recipients_of_a_domain_blackholed_inline_are_refused(world: World) -> None:
    async with world.call() as caller:
        reply = await caller.envelope("a@sender.test", "b@hole.test")
        assert reply == "551 5.7.1 recipient blackholed"
