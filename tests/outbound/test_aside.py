"""Messages with wishes of their own about TLS (RFC 8689): which hosts get them."""

from pathlib import Path
from typing import Any

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Trait
from angarium.lab.received import Received
from angarium.net.tlspolicy.demand import NOTHING, STS, Demand
from angarium.outbound.aside import is_waived
from helpers.certificates import Authority, Pair, authority
from helpers.hosts import Story, right

ENFORCED = Demand(STS, "example.test", required=True, checked=True)
TESTED = Demand(STS, "example.test", checked=True)
OFFERS = "with REQUIRETLS\n"
STAYS = int(Trait.REQUIRETLS)
WAIVED = b"Subject: hi\r\nTLS-Required: No\r\n\r\nhello\r\n"


async def sent(story: Story, **message: Any) -> Received:
    """Send a message, and return it as it came."""
    before = len(story.sink.accepted)
    story.sending.put("b@example.test", **message)
    await story.sending.until(lambda: len(story.sink.accepted) > before)
    await story.settled()
    return story.sink.accepted[-1]


@pytest.mark.parametrize("tls", ["no", "ifavailable", "required"])
async def test_a_message_which_requires_tls_goes_to_a_host_which_promises_it(
    tmp_path: Path, tls: str
) -> None:
    async with Story(tmp_path, right(), TESTED, OFFERS, tls=tls) as story:
        letter = await sent(story, traits=STAYS)
        assert letter.tls == "TLSv1.3"
        assert "REQUIRETLS" in letter.sender_parameters
        other = await sent(story)
        assert "REQUIRETLS" not in other.sender_parameters
        assert story.sending.spool.live == {}
        assert not any(outlet.asides for outlet in story.sending.pool.outlets)


@pytest.mark.parametrize(
    ("pair", "demand", "script"),
    [
        (right(), TESTED, ""),  # It promises nothing,
        (authority().signed("other.test"), TESTED, OFFERS),  # is somebody else,
        (Authority("Nobody").signed("mx.example.test"), TESTED, OFFERS),  # or nobody knows who,
        (None, TESTED, OFFERS),  # speaks no TLS,
        (right(), NOTHING, OFFERS),  # or an attacker may have named it.
    ],
)
async def test_else_it_is_returned(
    tmp_path: Path, pair: Pair | None, demand: Demand, script: str
) -> None:
    async with Story(tmp_path, pair, demand, script, tls="ifavailable") as story:
        story.sending.put("b@example.test", traits=STAYS)
        await story.sending.until(lambda: story.sending.failures)
        failed = story.sending.failures[0]
        assert failed.rcpt == "b@example.test"
        assert failed.reason.startswith("550 5.7.30 [internal] no host of this domain offers")
        assert story.sink.messages == []
        assert story.sending.delays == []


async def test_a_host_which_cannot_be_reached_is_tried_again(tmp_path: Path) -> None:
    async with Story(tmp_path, right(), TESTED, OFFERS + "at banner drop", tls="no") as story:
        story.sending.put("b@example.test", traits=STAYS)
        await story.sending.until(lambda: story.sending.delays)
        assert story.sending.failures == []


async def test_what_breaks_off_is_tried_again(tmp_path: Path) -> None:
    script = OFFERS + "at mail first 1 drop\n"
    async with Story(tmp_path, right(), TESTED, script, tls="required") as story:
        story.sending.put("b@example.test", traits=STAYS)
        await story.sending.until(lambda: story.sending.delays)
        assert story.sending.failures == []
        assert story.sink.messages == []


@pytest.mark.parametrize(
    ("pair", "demand", "script", "version"),
    [
        (authority().signed("other.test"), ENFORCED, "", "TLSv1.3"),
        (None, ENFORCED, "", ""),
        (right(), NOTHING, "at starttls reply 454 4.7.0 not now", ""),
    ],
)
async def test_a_message_which_would_rather_arrive_does(
    tmp_path: Path, pair: Pair | None, demand: Demand, script: str, version: str
) -> None:
    async with Story(tmp_path, pair, demand, script, tls="required") as story:
        letter = await sent(story, body=WAIVED)
        assert letter.tls == version
        assert story.sending.delays == []
        story.sending.put("b@example.test")
        await story.sending.later(300.0)  # The host rests for those who want more of it.
        await story.sending.until(lambda: story.sending.delays)  # All others wait.


def message(content: bytes, traits: int = 0) -> Message:
    return Message("a@x.test", MemoryBody(content), traits=traits)


@pytest.mark.parametrize(
    ("content", "waived"),
    [
        (WAIVED, True),
        (b"tls-required:NO\r\n\r\n", True),
        (b"TLS-Required: yes\r\n\r\n", False),
        (b"X-TLS-Required: No\r\n\r\n", False),
        (b"Subject: x\r\n\r\nTLS-Required: No\r\n", False),
        (b"Subject: " + b"x" * 70000 + b"\r\nTLS-Required: No\r\n\r\n", False),
        (b"", False),
    ],
)
def test_the_header_says_whether_tls_is_waived(content: bytes, waived: bool) -> None:
    assert is_waived(message(content)) is waived
    assert not is_waived(message(content, STAYS))
