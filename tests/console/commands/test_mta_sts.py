"""Policies of MTA-STS: what the console says of them, and that they can be fetched again."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.consoles import FakeServer, Talk
from helpers.mail import worker
from helpers.policies import policies
from helpers.queues import Queues


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    server = FakeServer(tmp_path, "")
    for number in range(2):
        queues = Queues()
        parts = server.node.parts[f"worker {number}"] = worker(queues, tmp_path)
        parts.demanding = SimpleNamespace(policies=policies(queues.clock, tmp_path))
    return Talk(server)


async def test_domains_with_a_policy_are_listed_once(talk: Talk) -> None:
    assert await talk.say("mta_sts list all") == "a.test\nTotal domains: 1"
    assert (await talk.plain("mta_sts list all"))["domains"] == ["a.test"]


async def test_a_policy_is_printed_with_its_record(talk: Talk) -> None:
    assert (await talk.say("mta_sts show domain A.test")).splitlines() == [
        "Domain 'a.test' has MTA-STS TXT and a TTL of 185 seconds",
        "        id: 20190429T010101",
        "        max_age: 86400 seconds; refresh in 86375 seconds",
        "        mode: enforce",
        "        mxlist:",
        "               mx.a.test",
    ]
    assert (await talk.plain("mta_sts show domain a.test"))["mode"] == "enforce"


async def test_a_domain_without_one_is_said_so(talk: Talk) -> None:
    assert await talk.say("mta_sts show domain b.test") == "Domain 'b.test' has no MTA-STS policy"


async def test_a_policy_is_fetched_again(talk: Talk) -> None:
    said = await talk.say("mta_sts refresh policy A.test")
    assert said == "MTA-STS policy for a.test refreshed."


async def test_what_cannot_be_fetched_is_said(talk: Talk) -> None:
    assert "has no record of MTA-STS" in await talk.fails("mta_sts refresh policy b.test")
