"""Guards at the door of a real server: early talkers, packets, lists in DNS, greylists, audits."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from angarium.net.savedsyn import save_syns
from helpers.operators import operator
from helpers.world import World

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
STRANGERS = 'relay_hosts = ( "192.0.2.0/24" )\nrelay_domains = ( "example.com" )\n'
CONTENT = b"Subject: hello\r\n\r\nhi\r\n"
ZONE = "example.com MX 10 mx.example.com\nmx.example.com A 127.0.0.1\n"


async def code(world: World, source: str, sender: str = "a@sender.test") -> str:
    """Return the code a stranger's recipient is answered with."""
    async with world.call(source) as caller:
        await caller.say(f"MAIL FROM:<{sender}>")
        return (await caller.say("RCPT TO:<b@example.com>"))[:3]


async def test_who_talks_before_the_banner_is_turned_away_and_who_waits_is_not(
    tmp_path: Path,
) -> None:
    config = STRANGERS + (
        'conntrol { pause_time = 1 teaser = "220-please wait" banner = "220-welcome"\n'
        '  disconnect_ratware = "421 mx.node.test you talk too early" }\n'
    )
    async with World(tmp_path, config, ZONE) as world:
        async with world.call() as caller:
            assert caller.banner.startswith("220")
            await caller.say("MAIL FROM:<a@sender.test>")
            await caller.say("RCPT TO:<b@example.com>")
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(b"EHLO bot.test\r\n")
        said = await reader.read()
        writer.close()
        assert said == b"220-please wait\r\n421 mx.node.test you talk too early\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        lines = [await reader.readline() for _ in range(3)]
        writer.close()
        assert [line[:4] for line in lines] == [b"220-", b"220-", b"220 "]
        assert lines[1] == b"220-welcome\r\n"


async def test_who_has_waited_is_let_in_at_once_by_all_workers(tmp_path: Path) -> None:
    config = STRANGERS + "conntrol { pause_time = 1 teaser = wait remember = 3600 }\n"
    async with World(tmp_path, config, ZONE, workers=2) as world:
        async with world.call("127.0.0.9") as caller:
            assert caller.banner.startswith("220-wait")

        async def known() -> bool:
            banners = []
            for _ in range(4):
                async with world.call("127.0.0.9") as caller:
                    banners.append(caller.banner)
            return all(each.startswith("220 ") for each in banners)

        await world.eventually(known, "each worker to know the client")
        async with world.call("127.0.0.8") as caller:
            assert caller.banner.startswith("220-wait")


async def test_the_example_refuses_whom_lists_know_and_puts_off_who_is_new(
    tmp_path: Path,
) -> None:
    config = STRANGERS + (EXAMPLES / "guard/guards.conf").read_text("utf-8")
    zone = ZONE + "9.0.0.127.zen.example.org A 127.0.0.2\n"
    async with World(tmp_path, config, zone) as world, operator(world.state) as admin:
        assert await code(world, "127.0.0.9") == "554"
        assert await code(world, "127.0.0.8") == "451"
        rejected = world.logs / "rejectlog.ec"
        await world.until(lambda: rejected.exists() and "zen.example" in rejected.read_text(), "it")
        said = await admin.say("inbound_audit show ip 127.0.0.0/24")
        assert "Connections 300/0: 2" in said or "Connections 300/1: " in said
        assert "greylist" in await admin.say("shared list")


async def test_a_client_is_known_by_its_first_packet(tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text(
        "from angarium.policy.script import Message, on\n\n\n"
        "@on.message\ndef tell(message: Message) -> None:\n"
        "    known = message.connection\n"
        '    message.headers["X-System"] = known.get("fingerprint_genre", "unknown")\n'
        '    message.headers["X-Packet"] = known.get("fingerprint_syn", "none")\n'
    )
    config = STRANGERS + 'python { script "p" { source = "p.py" } }\n'
    async with World(tmp_path, config, ZONE) as world, operator(world.state) as admin:
        await world.send("a@sender.test", ["none@example.com"], CONTENT)
        mail = await world.arrived("none@example.com")
        assert b"X-Packet: none\r\n" in (mail.content or b"")
        with socket.socket() as probe:
            if not save_syns(probe, yes=True):
                pytest.skip("this system keeps no first packets")
        await world.reload("fingerprint { }\n" + config)
        sent = 0

        async def known() -> bool:
            """Send once more: the system keeps packets as soon as the worker has told it to."""
            nonlocal sent
            sent += 1
            await world.send("a@sender.test", [f"b{sent}@example.com"], CONTENT)
            content = (await world.arrived(f"b{sent}@example.com")).content or b""
            return b"X-Packet: none\r\n" not in content and b"X-System: Linux\r\n" in content

        await world.eventually(known, "a client which is known")
        assert await code(world, "127.0.0.1", "a@sender.test") == "250"
        said = await admin.say("fingerprint rejection summary")
        assert said.splitlines()[1].split()[0] == "Linux"
        assert said.splitlines()[1].split()[-2:] == ["1", "0"]
        assert await admin.say("fingerprint cache summary") == "1 of 10000 clients"


async def test_who_comes_again_is_known_to_all_workers_and_after_a_restart(
    tmp_path: Path,
) -> None:
    config = STRANGERS + "greylist { delay = 1 networks_after = 0 }\n"
    async with World(tmp_path, config, ZONE, workers=2) as world:
        assert await code(world, "127.0.0.9") == "451"

        async def known() -> bool:
            return await code(world, "127.0.0.9") == "250"

        await world.eventually(known, "the client to be known")
        before = set(world.worker_pids())
        os.kill(min(before), signal.SIGKILL)
        await world.until(lambda: len(set(world.worker_pids()) - before) == 1, "another worker")

        async def always() -> bool:
            return [await code(world, "127.0.0.9") for _ in range(6)] == ["250"] * 6

        await world.eventually(always, "each worker to know the client")
        assert await world.stop() == 0
        await world.start()
        assert await code(world, "127.0.0.9") == "250"
        assert await code(world, "127.0.0.9", "other@sender.test") == "451"


async def test_sessions_at_once_are_counted_for_the_node(tmp_path: Path) -> None:
    config = 'inbound_audit { monitors = ( "60,2" ) }\n'
    async with World(tmp_path, config, workers=2) as world, operator(world.state) as admin:
        async with world.call("127.0.0.5"), world.call("127.0.0.6"), world.call("127.0.1.6"):

            async def three() -> bool:
                said = await admin.say("shared sessions 127.0.0.0/16")
                return said == "3" and await admin.say("shared sessions 127.0.0.0/24") == "2"

            await world.eventually(three, "three sessions")

        async def none() -> bool:
            return await admin.say("shared sessions 127.0.0.0/8") == "0"

        await world.eventually(none, "no session")
