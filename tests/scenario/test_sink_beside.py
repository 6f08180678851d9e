"""A receiving server beside ours, as the `sink` stanza of a configuration asks for."""

import socket
from pathlib import Path

import pytest

from helpers.world import World, reserved_port

CONTENT = b"Subject: hello\r\n\r\nhi\r\n"
SCRIPT = "at rcpt to gone@* reply 550 5.1.1 no such user\n"


@pytest.mark.effect("sink.listen", "sink.record", "sink.script")
async def test_mail_gets_there_is_recorded_and_answered_as_the_script_says(
    tmp_path: Path,
) -> None:
    script, record = tmp_path / "script", tmp_path / "record"
    script.write_text(SCRIPT)
    with reserved_port() as keeper:
        port = keeper.getsockname()[1]
        config = f"""
            sink {{ listen = "127.0.0.1:{port}" record = "{record}" script = "{script}" }}
            domain "sink.test" {{ routes = "127.0.0.1:{port}" }}
        """
        async with World(tmp_path, config) as world:
            for name in ("here", "gone"):
                said = await world.send("a@b.test", [f"{name}@sink.test"], CONTENT)
                assert said.startswith("250 ")
            await world.logged("mainlog", "@D@sink[.]test@.*@127[.]0[.]0[.]1")
            await world.logged("mainlog", "@P@sink[.]test@.*550 5[.]1[.]1 no such user")
            kept = [each.read_bytes() for each in record.rglob("*") if each.is_file()]
            assert [CONTENT in each for each in kept].count(True) == 1
            assert not world.sink.accepted
            assert await world.stop() == 0
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, "it ends with the server"
