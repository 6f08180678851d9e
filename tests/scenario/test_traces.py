"""Messages which are traced: from their reception to their end, at a collector."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from helpers.world import World

ZONE = "example.com MX 10 mx.example.com\nmx.example.com A 127.0.0.1"
CONTENT = b"Subject: hello\r\n\r\nhi\r\n"


class Fake:
    """A collector."""

    def __init__(self) -> None:
        self.spans: list[Any] = []

    async def take(self, request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        self.spans += body["resourceSpans"][0]["scopeSpans"][0]["spans"]
        return web.json_response({})

    def named(self, name: str) -> list[Any]:
        return [each for each in self.spans if each["name"] == name]


@pytest.mark.effect("trace_endpoint", "trace_sample")
async def test_what_is_sampled_arrives_and_a_collector_which_hangs_stops_no_mail(
    tmp_path: Path,
) -> None:
    fake, hangs = Fake(), asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await hangs.wait()
        return web.Response()

    application = web.Application()
    application.router.add_post("/v1/traces", fake.take)
    application.router.add_post("/hang", hang)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    config = f'trace_endpoint = "{base}/v1/traces"\ntrace_sample = 1.0\n'
    try:
        async with World(tmp_path, config, ZONE, sink="at rcpt first 1 reply 451 no") as world:
            await world.send("a@sender.test", ["b@example.com"], CONTENT)
            await world.until(lambda: fake.named("recipient"), "a whole trace")
            assert len({each["traceId"] for each in fake.spans}) == 1
            assert len(fake.named("reception")) == 1
            assert len(fake.named("attempt")) == 2
            await world.reload(f'trace_endpoint = "{base}/hang"\ntrace_sample = 1.0\n')
            await world.send("a@sender.test", ["c@example.com"], CONTENT)
            await world.arrived("c@example.com")
            await world.reload(f'trace_endpoint = "{base}/v1/traces"\ntrace_sample = 0.0\n')
            await world.send("a@sender.test", ["d@example.com"], CONTENT)
            await world.arrived("d@example.com")
            assert len(fake.named("reception")) == 1
    finally:
        hangs.set()
        await runner.cleanup()
