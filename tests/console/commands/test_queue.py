"""What waits in which queue, of two workers as one answer."""

import time
from pathlib import Path

import pytest

from helpers.consoles import FakeServer, Talk
from helpers.mail import worker
from helpers.queues import Queues


@pytest.fixture
def each() -> list[Queues]:
    first, second = Queues(), Queues()
    for queues in (first, second):
        now = time.time()
        queues.clock.advance(now - queues.clock.time())
        line = queues.put("a.test", "a.test")
        queues.defer(line.take(1)[0], 600)
        queues.put("b.test", binding="b1")
    second.put("a.test")
    return [first, second]


@pytest.fixture
def talk(tmp_path: Path, each: list[Queues]) -> Talk:
    server = FakeServer(tmp_path, 'binding_group "g" { binding "b1" { } binding "b2" { } }\n')
    server.node.parts = {f"worker {n}": worker(q, tmp_path, n) for n, q in enumerate(each)}
    return Talk(server)


async def test_domains_over_a_threshold_are_those_of_all_workers_together(talk: Talk) -> None:
    assert (await talk.say("active 2")).splitlines() == [
        "Domain:                         a.test  C:  0  A:      3  D:     2  S:     0",
        "                                Total:  C:  0  A:      5  D:     2  S:     0",
    ]
    plain = await talk.plain("delayed 1")
    assert plain["domains"] == [
        {"domain": "a.test", "connections": 0, "active": 3, "delayed": 2, "sent": 0, "failed": 0}
    ]


async def test_all_domains_are_listed_under_two_names(talk: Talk) -> None:
    said = (await talk.say("domain all")).splitlines()
    assert said[0] == "Domain summary:"
    assert said[-1] == "Totals: C: 0 A: 5 D: 2 S: 0"
    assert await talk.say("domains") == "\n".join(said)


async def test_mailq_has_the_columns_of_momentum(talk: Talk) -> None:
    said = (await talk.say("mailq")).splitlines()
    assert [each.split() for each in said] == [
        ["Group/Binding", "Domain", "AQ", "DQ"],
        ["-" * 74],
        ["default/default", "a.test", "3", "2"],
        ["g/b1", "b.test", "2", "0"],
    ]
    assert (await talk.say("mailq -b b1")).splitlines()[2:] == [said[3]]
    assert (await talk.say("mailq -d a.test -d x.test")).splitlines()[2:] == [said[2]]
    assert (await talk.say("mailq --limit 1")).endswith("1 more; --limit shows them")
    assert "is not understood" in await talk.fails("mailq -x 1")
    assert "has no value" in await talk.fails("mailq -d")


async def test_showqueue_pages_through_the_default_binding_or_another(talk: Talk) -> None:
    said = (await talk.say("showqueue a.test")).splitlines()
    assert len(said) == 10
    assert sum(each.startswith("[delayed/default] ") for each in said) == 2
    assert (await talk.say("showqueue a.test 2,1")).splitlines() == said[2:6]
    assert (await talk.say("showqueue binding b1 b.test")).count("[active/b1]") == 2
    assert (await talk.say("showqueue b.test")) == ""
    assert (await talk.plain("showqueue binding all all"))["total"] == 7
    assert await talk.fails("showqueue binding b3 b.test") == "there is no binding b3"
    assert "is no limit,offset" in await talk.fails("showqueue a.test x")
    assert "at most 10000" in await talk.fails("showqueue a.test 10001")


async def test_delay_needs_seconds_and_a_filter(talk: Talk, each: list[Queues]) -> None:
    assert await talk.say("delay 60 --binding b1") == "Delayed 2 messages."
    assert await talk.say("delay 60 --domain b.test") == "No messages for b.test found."
    assert await talk.fails("delay 0 --domain x") == "0 is no number of seconds above 0"
    assert "a filter is missing" in await talk.fails("delay 5")
    assert await talk.fails("delay 5 --binding b3") == "there is no binding b3"
    preview = await talk.say("delay 5 --domain a.test --dry-run")
    assert preview.endswith("[dry-run] a.test: 3 messages would be delayed.")
    assert each[1].board.delayed == 2


async def test_reroute_moves_mail_to_another_domain(talk: Talk, each: list[Queues]) -> None:
    said = await talk.say("reroute queue --dry-run all c.test")
    assert said.endswith("[dry-run] all -> c.test: 7 messages would be moved.")
    assert await talk.say("reroute queue a.test C.test") == (
        "Moved 5 messages from 'a.test' to 'c.test'"
    )
    assert each[0].board.line("default", "default", "c.test").delayed == 1
    assert await talk.fails("reroute queue a.test *.test") == "*.test is no domain"


async def test_rebind_deals_mail_of_a_group_anew(talk: Talk) -> None:
    assert await talk.say("rebind b1 b.test") == "Rebound 2 messages."
    assert await talk.say("rebind all") == "Rebound 7 messages."
    assert "would be rebound" in await talk.say("rebind all --dry-run")


async def test_of_many_only_the_first_are_previewed(talk: Talk, each: list[Queues]) -> None:
    each[0].put_many(40)
    said = (await talk.say("reroute queue --dry-run a.test b.test")).splitlines()
    assert len(said) == 26
    assert said[-1].endswith("45 messages would be moved. (Showing first 25; 20 more not listed.)")


async def test_hot_domains_have_connections(talk: Talk) -> None:
    assert await talk.plain("hot_domains list") == []
    assert await talk.say("hot_domains list json") == "[]"


async def test_without_a_worker_nothing_is_said_to_be_done(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, "")
    server.node.stuck = ("worker 0",)
    assert "worker 0 does not answer" in await Talk(server).fails("rebind all")
