"""A server which is watched by HTTP: ready, measured, and not disturbed by any of it."""

import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from angarium.web.guard import MOST_CONNECTIONS
from helpers.browser import Answer, ask, connected, read
from helpers.exposition import families
from helpers.world import World, reserved_port

ZONE = "example.com MX 10 mx.example.com\nmx.example.com A 127.0.0.1"
LISTENER = 'http_listener {{ listen "127.0.0.1:{port}" {{ }} {more} }}\n'
CONTENT = b"Subject: hello\r\n\r\nhi\r\n"


@pytest.fixture
def port() -> Iterator[int]:
    with contextlib.closing(reserved_port()) as keeper:
        yield keeper.getsockname()[1]


async def until_said(world: World, port: int, path: str, status: int) -> Answer:
    """Ask until it is answered so."""
    found: list[Answer] = []

    async def said() -> bool:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            found.append(await ask(port, path))
        return bool(found) and found[-1].status == status

    await world.eventually(said, f"{status} for {path}")
    return found[-1]


async def until_counted(world: World, port: int, name: str, value: float) -> None:
    """Ask for the metrics until one has a value."""

    async def counted() -> bool:
        text = (await ask(port, "/metrics")).text
        found = families(text, openmetrics=False).get(name)
        return found is not None and found.value() == value

    await world.eventually(counted, f"{name} to be {value}")


async def test_what_is_done_is_measured(tmp_path: Path, port: int) -> None:
    config = LISTENER.format(port=port, more="")
    async with World(tmp_path, config, ZONE, workers=2) as world:
        assert (await until_said(world, port, "/readyz", 200)).text == "ready\n"
        for number in range(3):
            await world.send("a@sender.test", [f"b{number}@example.com"], CONTENT)
        await world.delivered(3)
        await until_counted(world, port, "angarium_receptions_total", 3)
        await until_counted(world, port, "angarium_deliveries_total", 3)
        text = (await ask(port, "/metrics")).text
        found = families(text, openmetrics=False)
        whole = found["angarium_stage_end_to_end_seconds"]
        assert whole.samples[("angarium_stage_end_to_end_seconds_count", ())] == 3
        assert found["angarium_workers_running"].value() == 2
        assert found["angarium_dials_total"].value(outcome="opened") >= 1
        for process in ("worker 0", "worker 1", "hose", "supervisor", "web"):
            assert found["angarium_process_resident_bytes"].value(process=process) > 1 << 20
        page = (await ask(port, "/status")).text
        assert "mx.node.test" in page


async def test_mail_which_waits_is_seen_by_its_queue(tmp_path: Path, port: int) -> None:
    config = LISTENER.format(port=port, more="") + "retry_interval = 3600\n"
    async with World(tmp_path, config, ZONE, sink="at rcpt reply 451 4.2.1 not now") as world:
        await world.send("a@sender.test", ["b@example.com"], CONTENT)

        async def listed() -> bool:
            seen = json.loads((await ask(port, "/status.json")).text)
            return [(each["domain"], each["delayed"]) for each in seen["destinations"]] == [
                ("example.com", 1)
            ]

        await world.eventually(listed, "the queue of example.com")


async def test_counts_do_not_fall_when_a_worker_dies(tmp_path: Path, port: int) -> None:
    config = LISTENER.format(port=port, more="")
    async with World(tmp_path, config, ZONE) as world:
        await world.send("a@sender.test", ["b@example.com"], CONTENT)
        await until_counted(world, port, "angarium_receptions_total", 1)
        [worker] = world.worker_pids()
        os.kill(worker, signal.SIGKILL)
        await until_counted(world, port, "angarium_worker_deaths_total", 1)
        await until_said(world, port, "/readyz", 200)
        await until_counted(world, port, "angarium_receptions_total", 1)


async def test_mail_goes_on_without_it_and_it_comes_back(tmp_path: Path, port: int) -> None:
    config = LISTENER.format(port=port, more="")
    async with World(tmp_path, config, ZONE) as world:
        await until_said(world, port, "/healthz", 200)
        [pid] = web_pids(world)
        os.kill(pid, signal.SIGSTOP)
        await world.send("a@sender.test", ["b@example.com"], CONTENT)
        await world.delivered(1)
        await world.reload(config + "retry_interval = 7\n")  # which does not wait for it
        os.kill(pid, signal.SIGKILL)
        await until_said(world, port, "/readyz", 200)
        assert web_pids(world) != [pid]


async def test_who_takes_all_connections_stops_no_mail_and_leaves_no_trace(
    tmp_path: Path, port: int
) -> None:
    config = LISTENER.format(port=port, more="")
    async with World(tmp_path, config, ZONE) as world:
        await until_said(world, port, "/readyz", 200)
        async with contextlib.AsyncExitStack() as stack:
            reader, writer = await stack.enter_async_context(connected(port))
            writer.write(b"\x16\x03\x01\r\n\r\n")
            assert (await read(reader)).status == 400
            for _ in range(MOST_CONNECTIONS):
                _, writer = await stack.enter_async_context(connected(port))
                writer.write(b"GET / HTTP/1.1\r\nX: ")
            await until_said(world, port, "/healthz", 503)
            await world.send("a@sender.test", ["b@example.com"], CONTENT)
            await world.delivered(1)
        await until_said(world, port, "/healthz", 200)
        assert not any("HTTP" in line for line in world.output)


@pytest.mark.effect("http_hosts")
async def test_listeners_change_with_a_reload_and_nobody_is_refused(
    tmp_path: Path, port: int
) -> None:
    async with World(tmp_path, "", ZONE) as world:
        assert not web_pids(world)
        await world.reload(LISTENER.format(port=port, more=""))
        await until_said(world, port, "/readyz", 200)
        assert (await ask(port, "/healthz", host="mta.test")).status == 421
        async with connected(port) as (_, writer):
            await world.reload(LISTENER.format(port=port, more="http_hosts = ( mta.test )"))
            assert not writer.is_closing()

        async def known() -> bool:
            return (await ask(port, "/healthz", host="mta.test")).status == 200

        await world.eventually(known, "another name")
        with contextlib.closing(reserved_port()) as keeper:
            other = keeper.getsockname()[1]
            await world.reload(LISTENER.format(port=other, more=""))
            await until_said(world, other, "/healthz", 200)

            async def closed() -> bool:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    await ask(port, "/healthz")
                    return False
                return True

            await world.eventually(closed, "nobody at the old address")
        await world.reload("")
        await world.until(lambda: not web_pids(world), "the end of the web process")
        await world.send("a@sender.test", ["b@example.com"], CONTENT)
        await world.delivered(1)


@pytest.mark.effect("max_request_size", "log_requests_to_paniclog", "http_logger.log")
async def test_clients_are_met_as_their_peer_stanza_says_and_noted(
    tmp_path: Path, port: int
) -> None:
    config = (
        LISTENER.format(
            port=port,
            more="max_request_size = 10000 "
            "peer 127.0.0.0/8 { max_request_size = 400 log_requests_to_paniclog = true }",
        )
        + 'http_logger { log = "http.ec" }\n'
    )
    long = f"X: {'x' * 400}\r\n"
    async with World(tmp_path, config, ZONE) as world:
        await until_said(world, port, "/readyz", 200)
        assert (await ask(port, "/healthz", more=long)).status == 413
        log = world.state / "http.ec"
        rest = rf'127\.0\.0\.1:\d+ 127\.0\.0\.1:{port} "GET healthz HTTP/1\.1" 413 \d+ \d+\.\d{{3}}'
        whole = re.compile(rf"\d{{10}} {rest}", re.ASCII)
        await world.until(lambda: log.exists() and whole.search(log.read_text()), "it in httplog")
        said = re.compile(r'^\d{10}:127\.0\.0\.1 "GET healthz HTTP/1\.1" 413 \d+ \d+\.\d{3}$')
        assert [line for line in world.log("paniclog") if said.match(line)]
        log.rename(log.with_suffix(".1"))
        world.signal(signal.SIGUSR1)

        async def anew() -> bool:
            await ask(port, "/healthz")
            return log.exists()

        await world.eventually(anew, "another file")
        await world.reload(LISTENER.format(port=port, more=""))

        async def taken() -> bool:
            return (await ask(port, "/healthz", more=long)).status == 200

        await world.eventually(taken, "a long request to be answered")
        assert (await ask(port, "/nowhere")).status == 404
        assert not any('"GET nowhere' in line for line in world.log("paniclog"))


async def test_an_upgrade_puts_another_in_its_place_and_refuses_nobody(
    tmp_path: Path, port: int
) -> None:
    config = LISTENER.format(port=port, more="")
    async with World(tmp_path, config, ZONE) as world:
        await until_said(world, port, "/readyz", 200)
        [pid] = web_pids(world)
        await world.send("a@sender.test", ["b@example.com"], CONTENT)
        await until_counted(world, port, "angarium_receptions_total", 1)
        world.signal(signal.SIGUSR2)

        async def another() -> bool:
            assert (await ask(port, "/healthz")).status == 200  # asked all the time meanwhile
            now = web_pids(world)
            return bool(now) and pid not in now

        await world.eventually(another, "another process of the web")
        await until_said(world, port, "/readyz", 200)
        await until_counted(world, port, "angarium_receptions_total", 1)
        assert not any("web died" in line for line in world.output)


async def test_a_server_which_is_to_end_is_not_ready(tmp_path: Path, port: int) -> None:
    config = LISTENER.format(port=port, more="")
    async with World(tmp_path, config, ZONE) as world:
        await until_said(world, port, "/readyz", 200)
        async with world.call() as caller:
            await caller.say("MAIL FROM:<a@sender.test>")  # so that the worker waits for us
            world.signal(signal.SIGTERM)
            await until_said(world, port, "/readyz", 503)
        await world.ended()


def web_pids(world: World) -> list[int]:
    """Return the processes of the web."""
    children = Path(f"/proc/{world.pid}/task/{world.pid}/children").read_text(encoding="ascii")
    found = []
    for pid in map(int, children.split()):
        with contextlib.suppress(OSError):
            title = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
            if title.startswith("angarium: web") or "run.webserver" in title:
                found.append(pid)
    return found
