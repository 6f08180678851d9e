"""Figures of the spool."""

from pathlib import Path
from types import SimpleNamespace

from helpers.consoles import FakeServer, Talk


async def test_what_has_left_the_spool_is_what_ended(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, "")
    counts = {"created": 9, "delivered": 4, "bounced": 2, "queued": 3, "quarantined": 0}
    part = SimpleNamespace(
        spool=SimpleNamespace(counts=lambda: counts), admit=SimpleNamespace(submitted=1)
    )
    server.node.parts = {"worker 0": part, "worker 1": part}
    talk = Talk(server)
    assert await talk.plain("unlink stats") == {"messages": 12, "backlog": 2, "missing": []}
    assert (await talk.plain("sp_async stats"))["created"] == 18
    server.node.parts = {}
    assert "no worker answers" in await talk.fails("unlink stats")
