"""The way to a collector: bounded, whatever the collector does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from angarium.events.metrics import Metrics
from angarium.web import collector as module
from angarium.web.collector import DROPPED, MOST_WAITING, Collector


class Fake:
    """A collector which answers as it is told."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.bodies: list[Any] = []

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(json.loads(await request.text()))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    @property
    def spans(self) -> list[str]:
        return [
            span["spanId"]
            for body in self.bodies
            for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]
        ]


@asynccontextmanager
async def sending(fake: Fake, metrics: Metrics) -> AsyncIterator[Collector]:
    application = web.Application()
    application.router.add_post("/v1/traces", fake.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    made = Collector(f"http://127.0.0.1:{port}/v1/traces", {"service.name": "x"}, metrics)
    task = asyncio.ensure_future(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await runner.cleanup()


async def until(metrics: Metrics, name: str, value: float) -> None:
    for _ in range(9000):
        if metrics.snapshot()[name] == value:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError(f"{name} is {metrics.snapshot()[name]}, not {value}")


def some(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"spanId": str(number)} for number in range(first, first + count)]


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT", 0.01)


async def test_spans_arrive_with_who_sends_them() -> None:
    fake, metrics = Fake(), Metrics()
    async with sending(fake, metrics) as collector:
        collector.add(some(3))
        await until(metrics, "trace_spans_sent", 3)
    assert fake.spans == ["0", "1", "2"]
    resource = fake.bodies[0]["resourceSpans"][0]["resource"]["attributes"]
    assert {"key": "service.name", "value": {"stringValue": "x"}} in resource


@pytest.mark.parametrize("status", [429, 503])
async def test_what_is_not_taken_now_is_sent_again(status: int) -> None:
    fake, metrics = Fake(status, status), Metrics()
    async with sending(fake, metrics) as collector:
        collector.add(some(2))
        await until(metrics, "trace_spans_sent", 2)
    assert fake.spans == ["0", "1"] * 3
    assert metrics.snapshot()["trace_requests_failed"] == 2


async def test_what_is_refused_for_good_is_dropped_and_counted() -> None:
    fake, metrics = Fake(400), Metrics()
    async with sending(fake, metrics) as collector:
        collector.add(some(2))
        await until(metrics, "trace_spans_dropped", 2)
        collector.add(some(1, 5))
        await until(metrics, "trace_spans_sent", 1)
    assert fake.spans == ["0", "1", "5"]


async def test_a_collector_which_is_away_costs_spans_and_no_memory() -> None:
    metrics = Metrics()
    collector = Collector("http://127.0.0.1:1/v1/traces", {}, metrics)
    task = asyncio.ensure_future(collector.run())
    for first in range(0, 10 * MOST_WAITING, 1000):
        collector.add(some(1000, first))
    assert len(collector._waiting) <= MOST_WAITING
    await until(metrics, "trace_requests_failed", 1)
    assert metrics.cell(DROPPED).value > 8 * MOST_WAITING
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_many_spans_go_in_several_requests() -> None:
    fake, metrics = Fake(), Metrics()
    async with sending(fake, metrics) as collector:
        collector.add(some(1200))
        await until(metrics, "trace_spans_sent", 1200)
    assert len(fake.bodies) == 3
