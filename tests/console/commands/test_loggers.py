"""Commands which name an instance of a logger."""

from pathlib import Path

from helpers.consoles import FakeServer, Talk


async def test_logs_are_reopened_whichever_instance_is_named(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, "")
    talk = Talk(server)
    await talk.say("ec_logger:main reopen logs")
    await talk.say("bounce_logger:bounce_logger reopen logs")
    assert server.node.told == ["reopen", "reopen"]
    assert "reopen logs" in await talk.say("ec_logger:main help")
    assert "no such command" in await talk.fails("version:main")
