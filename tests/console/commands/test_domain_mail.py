"""Mail of a domain, or of a filter, ended."""

from pathlib import Path
from typing import Any

import pytest

from helpers.consoles import VIEWER, FakeServer, Talk
from helpers.mail import worker
from helpers.queues import Queues


@pytest.fixture
def queues() -> Queues:
    made = Queues()
    line = made.put("a.test", "a.test")
    made.defer(line.take(1)[0], 600)
    made.put("b.test", binding="b1")
    return made


@pytest.fixture
def parts(queues: Queues, tmp_path: Path) -> Any:
    return worker(queues, tmp_path)


@pytest.fixture
def talk(tmp_path: Path, parts: Any) -> Talk:
    server = FakeServer(tmp_path, 'binding_group "g" { binding "b1" { } binding "b2" { } }\n')
    server.node.parts = {"worker 0": parts}
    return Talk(server)


async def test_fail_domain_ends_its_mail_with_a_report_or_without(talk: Talk, parts: Any) -> None:
    assert await talk.say("fail domain a.test") == "a.test purged, 2 messages failed."
    assert await talk.say("fail domain quiet B.test 550 5.1.1 gone away") == (
        "B.test purged, 1 messages failed."
    )
    assert parts.settle.ends == [
        ("u@a.test", "554 Message manually purged.", "failed", True),
        ("u@a.test", "554 Message manually purged.", "failed", True),
        ("u@b.test", "550 5.1.1 gone away", "failed", False),
    ]


async def test_a_preview_ends_nothing_wherever_it_stands(talk: Talk, parts: Any) -> None:
    for line in ("fail domain --dry-run a.test", "fail domain a.test note --dry-run"):
        said = await talk.say(line)
        assert said.endswith("[dry-run] a.test: 2 messages would be failed.")
    said = await talk.say("fail all --dry-run --sender a@*")
    assert said.endswith("[dry-run] all domains: 3 messages would be failed.")
    plain = await talk.plain("binding fail domain --dry-run b1 all")
    assert (plain["dry_run"], plain["messages"], plain["listed"][0]["domain"]) == (
        True, 1, "b.test",
    )  # fmt: skip
    assert not parts.settle.ends


async def test_fail_all_needs_a_filter(talk: Talk) -> None:
    assert "a filter is missing" in await talk.fails("fail all because")
    assert await talk.say("fail all --attempts 1") == "All domains purged. 1 messages failed."
    assert await talk.say("fail all quiet --binding b1") == (
        "All domains purged. 1 messages failed."
    )


async def test_a_binding_is_failed_by_domain_or_whole(talk: Talk) -> None:
    assert await talk.say("binding fail domain b1 b.test") == "b.test purged, 1 messages failed."
    assert await talk.say("binding fail domain quiet default all") == (
        "All domains purged.  2 messages failed."
    )
    assert await talk.fails("binding fail domain b3 all") == "there is no binding b3"
    assert await talk.fails("binding fail domain b1") == "the domain is missing"


async def test_deleted_mail_counts_as_discarded(talk: Talk, parts: Any) -> None:
    assert "would be deleted" in await talk.say("delete --domain a.test --dry-run")
    assert await talk.say("delete --domain a.test") == "2 messages deleted."
    assert {each[1:] for each in parts.settle.ends} == {
        ("554 Message manually deleted.", "discarded", False)
    }
    assert "a filter is missing" in await talk.fails("delete")


async def test_flush_makes_delayed_mail_active(talk: Talk, queues: Queues) -> None:
    said = await talk.say("flush domain all --dry-run")
    assert said.endswith("[dry-run] all: 1 messages would be requeued.")
    assert await talk.say("binding flush domain b1 all") == "all flushed.  0 messages requeued."
    assert await talk.say("flush domain a.test") == "a.test flushed.  1 messages requeued."
    assert queues.board.delayed == 0


async def test_what_cannot_be_read_is_told(talk: Talk, queues: Queues) -> None:
    queues.spool.broken.update(queues.spool.live)
    said = await talk.say("fail all --sender x")
    assert said.splitlines()[1] == "3 messages cannot be read, and were left alone"


async def test_who_only_looks_may_not(talk: Talk, parts: Any) -> None:
    talk.session.peer = VIEWER
    assert "Not Authorized" in await talk.fails("fail domain a.test")
    assert not parts.settle.ends
