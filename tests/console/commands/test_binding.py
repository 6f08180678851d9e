"""Figures of bindings."""

from pathlib import Path

import pytest

from angarium.queue.tally import Tally
from helpers.consoles import FakeServer, Talk
from helpers.mail import worker
from helpers.queues import Queues


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    server = FakeServer(tmp_path, 'binding_group "g" { binding "b1" { } binding "b2" { } }\n')
    for number in range(2):
        queues = Queues()
        line = queues.put("a.test", "a.test", binding="b1")
        queues.defer(line.take(1)[0], 600)
        parts = worker(queues, tmp_path, number)
        line.sent = 30
        queues.board.tallies.freed(("g", "b2", "a.test"), Tally(40, 0, 2))
        server.node.parts[f"worker {number}"] = parts
    return Talk(server)


async def test_domains_of_a_binding_are_listed(talk: Talk) -> None:
    assert (await talk.say("binding active b1 1")).splitlines()[0] == (
        "Domain:                         a.test  C:  0  A:      2  D:     2  S:    60"
    )
    assert (await talk.say("binding delayed default 0")).splitlines() == [
        "                                Total:  C:  0  A:      0  D:     0  S:     0"
    ]
    assert await talk.fails("binding delayed b9 0") == "there is no binding b9"


async def test_a_summary_has_a_block_for_each_binding(talk: Talk) -> None:
    said = (await talk.say("binding summary b1")).splitlines()
    assert said[0] == "Summary Statistics For Binding b1"
    rows = dict(each.strip().split(":") for each in said[1:])
    assert rows["Active Queue Size"].strip() == "2"
    assert rows["Total Queue Size"].strip() == "4"
    assert rows["Successfully Delivered Messages"].strip() == "60"
    assert rows["Resident Messages"].strip() == "2"
    assert rows["Received Messages"].strip() == "2"
    assert rows["Reception Rate"].endswith(" messages/second")
    assert (await talk.say("binding summary")).count("Summary Statistics") == 3


async def test_a_summary_of_a_group_has_a_total(talk: Talk) -> None:
    said = await talk.say("binding summary group:g")
    assert "Summary Statistics For Binding b2 in Binding Group g" in said
    total = said.partition("*" * 60)[2]
    assert "Failed Messages:      4" in total
    assert "Received Messages:     82" in total
    assert "Incore Messages:      2" in total
    assert await talk.fails("binding summary group:x") == "there is no binding group:x"
    plain = await talk.plain("binding summary group:g")
    assert [each["failed"] for each in plain["bindings"]] == [0, 4]
