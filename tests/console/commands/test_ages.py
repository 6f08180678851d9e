"""`ages`: the table."""

from pathlib import Path
from types import SimpleNamespace

from helpers.consoles import FakeServer, Talk
from helpers.queues import Queues


async def test_the_rows_with_the_most_mail_come_first(tmp_path: Path) -> None:
    queues, server = Queues(), FakeServer(tmp_path, "")
    queues.put("a.test", "b.test")
    queues.put("b.test")
    live = queues.board.spool.live
    server.node.parts["worker 0"] = SimpleNamespace(
        clock=queues.clock,
        spool=SimpleNamespace(
            routes=queues.board.spool.routes, live=SimpleNamespace(parts=lambda: [live])
        ),
    )
    lines = (await Talk(server).say("ages")).splitlines()
    assert [each.split()[:2] for each in lines[1:]] == [
        ["TOTAL", "3"],
        ["b.test", "2"],
        ["a.test", "1"],
    ]
    assert list((await Talk(server).plain("ages domain 1"))["domain"]) == ["b.test"]
    assert "write ages domain" in await Talk(server).fails("ages sender")
