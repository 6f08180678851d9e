"""The sink beside clients, and the injector beside a server, which are not ours."""

import asyncio
import os
from asyncio.subprocess import DEVNULL
from collections.abc import Callable

import pytest
from aiosmtpd.smtp import SMTP

from angarium.lab.letters import Letters
from angarium.lab.load import Load, Plan
from angarium.lab.sink import Sink
from angarium.net.loop import RealClock

pytestmark = [pytest.mark.slow]


async def run(*words: str) -> int:
    process = await asyncio.create_subprocess_exec(*words, stdout=DEVNULL, stderr=DEVNULL)
    return await asyncio.wait_for(process.wait(), 90)


@pytest.mark.peer
async def test_smtp_source_sends_to_the_sink(program: Callable[[str], str]) -> None:
    options = ["-s", "3", "-m", "20", "-l", "2000", "-f", "a@x", "-t", "b@y"]
    async with Sink() as sink:
        assert await run(program("smtp-source"), *options, f"127.0.0.1:{sink.port}") == 0
    assert sink.counts.messages == 20
    assert sink.counts.early == 0


@pytest.mark.peer
async def test_swaks_sees_what_the_script_says(program: Callable[[str], str]) -> None:
    options = ["--from", "a@x", "--server", "127.0.0.1", "--helo", "me", "--timeout", "5"]
    async with Sink("at rcpt to full@* reply 452 4.2.2 full") as sink:
        port = ["--port", str(sink.port)]
        assert await run(program("swaks"), *options, *port, "--to", "b@y") == 0
        assert await run(program("swaks"), *options, *port, "--to", "full@y") != 0
    assert [message.recipients for message in sink.accepted] == [["b@y"]]


@pytest.mark.peer
async def test_the_injector_sends_to_smtp_sink(program: Callable[[str], str]) -> None:
    async with Sink() as borrowed:
        port = borrowed.port
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = await asyncio.create_subprocess_exec(
        program("smtp-sink"), *user, f"127.0.0.1:{port}", "100", stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        plan = Plan(port=port, count=20, connections=2, duration=10, patience=5)
        report = await Load(plan, Letters([(1000, 1)]), RealClock()).run()
    finally:
        process.terminate()
        await process.wait()
    assert report.acknowledged == 20


async def test_the_injector_sends_to_aiosmtpd() -> None:
    heard: list[bytes] = []

    class Handler:
        async def handle_DATA(  # noqa: N802 - aiosmtpd looks for this name
            self, server: object, session: object, envelope: object
        ) -> str:
            heard.append(getattr(envelope, "content", b""))
            return "250 ok"

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), loop=loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    plan = Plan(port=port, count=5, per_connection=2)
    report = await Load(plan, Letters([(1000, 1)]), RealClock()).run()
    server.close()
    await server.wait_closed()
    assert report.acknowledged == len(heard) == 5
    assert {len(content) for content in heard} == {1000}
