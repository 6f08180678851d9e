"""Endpoints of scripts on a real server: asked by HTTP, answered by a worker, whatever happens."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from angarium.wire.channel import MOST_CONTENT
from helpers.browser import Answer, ask, connected, read
from helpers.world import World, reserved_port

pytestmark = pytest.mark.slow

CONFIG: Final = """
policy_wait_limit = {patience}
http_listener {{ listen "127.0.0.1:{port}" {{ }} {more} }}
httpsrv {{ debug_level = {level} }}
scriptlet "scriptlet" {{
  time_limit = 1
  script "p" {{ source = "p" }}
}}
"""
SCRIPT: Final = """
require("msys.core"); require("msys.extended.httpsrv")
local mod = {}

local function hello(session)
  session:response_status_set_std(200, session:request_url_get().url .. " says hello", "text/plain")
end

local function echo(session)
  local body = session:request_data_get_string()
  session:response_status_set_std(201, body, session:request_header_get("X-Kind"))
  session:response_header_set("X-Octets", tostring(#body))
end

local function slow(session)
  msys.sleep(tonumber(session:request_url_get().attrs.seconds))
  session:response_status_set_std(200, "at last")
end

local function faulty(session)
  local nothing
  return nothing.wanted
end

local function wrong(session)
  local tries = {
    function() session:response_status_set_std(99, "x") end,
    function() session:response_status_set_std(200, {}) end,
    function() session:response_status_set_std(200, "x", "a\\r\\nb") end,
    function() session:response_header_set("Content-Length", "7") end,
    function() session.request_url_get(mod) end,
  }
  local said = {}
  for number, try in ipairs(tries) do
    local well, why = pcall(try)
    said[number] = tostring(well) .. " " .. tostring(why)
  end
  session:response_status_set_std(200, table.concat(said, "\\n"))
end

local function who(session)
  session:response_status_set_std(200, tostring(mod))  -- its address: another in each worker
end

local function away() while true do end end

function mod:rsrc_setup()
  msys.httpsrv.register("GET", "/hello/", hello)
  msys.httpsrv.register("POST", "/echo", echo)
  msys.httpsrv.register("PUT", "/echo", echo)
  msys.httpsrv.register(nil, "/slow", slow)
  msys.httpsrv.register("GET", "/faulty", faulty)
  msys.httpsrv.register("GET", "/wrong", wrong)
  msys.httpsrv.register("GET", "/who", who)
  msys.httpsrv.register("GET", "/away", away)
  msys.httpsrv.register("GET", "/metrics", hello)
  return true
end

msys.registerModule("p", mod)
"""


def place(text: str) -> int:
    """Return the line of the script where this stands."""
    return SCRIPT[: SCRIPT.index(text)].count("\n") + 1


@pytest.fixture
def port() -> Iterator[int]:
    with contextlib.closing(reserved_port()) as keeper:
        yield keeper.getsockname()[1]


class Scripted(World):
    def configure(self, extra: str) -> None:
        if not (self.folder / "p.lua").exists():
            self.write(SCRIPT)
        super().configure(extra)

    def write(self, text: str) -> None:
        (self.folder / "p.lua").write_text(text, encoding="utf-8")


def config(port: int, patience: float = 60, more: str = "", level: str = "ERROR") -> str:
    return CONFIG.format(port=port, patience=patience, more=more, level=level)


async def until(world: World, port: int, path: str, status: int) -> Answer:
    """Ask until it is answered so."""
    found: list[Answer] = []

    async def said() -> bool:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            found.append(await ask(port, path))
        return bool(found) and found[-1].status == status

    await world.eventually(said, f"{status} for {path}")
    return found[-1]


async def ready(world: World, port: int) -> None:
    """Wait for the process of the web; the workers are there."""
    await until(world, port, "/hello", 200)


async def all_known(world: World, port: int) -> None:
    """Wait until the process of the web asks each worker there is."""
    seen: set[str] = set()

    async def asked() -> bool:
        answer = await ask(port, "/who")
        if answer.status == 200:
            seen.add(answer.text)
        return len(seen) == len(world.worker_pids())

    await ready(world, port)
    await world.eventually(asked, "an answer of each worker")


async def under_way(world: World, count: int = 1) -> None:
    """Wait until so many requests have reached a script: they stand in paniclog."""
    await world.logged("paniclog", "begun", count)


def begun(world: World) -> int:
    """Return how many requests have reached a script."""
    return sum("begun" in line for line in world.log("paniclog"))


async def listening(world: World, workers: int) -> bool:
    """Say whether so many workers can be asked."""
    for number in range(workers):
        try:
            _, writer = await asyncio.open_unix_connection(
                world.state / "run" / f"worker.{number}.channel"
            )
        except OSError:
            return False
        writer.close()
    return True


async def test_a_function_answers_what_is_asked_for(tmp_path: Path, port: int) -> None:
    async with Scripted(tmp_path, config(port, level="DEBUG"), workers=2) as world:
        await ready(world, port)
        answer = await ask(port, "/hello/there?a=b%20c")
        assert (answer.status, answer.text) == (200, "/hello/there?a=b%20c says hello")
        assert answer.fields["content-type"] == "text/plain"
        assert answer.fields["x-content-type-options"] == "nosniff"
        answer = await ask(
            port, "/echo", method="POST", content=b"{}", more="x-kind: application/json\r\n"
        )
        assert (answer.status, answer.body) == (201, b"{}")
        assert answer.fields["content-type"] == "application/json"
        assert answer.fields["x-octets"] == "2"
        await world.logged("paniclog", r"POST /echo 201 ")
        # What the server answers by itself comes first.
        assert "angarium_build_info" in (await ask(port, "/metrics")).text


async def test_who_asks_for_nothing_registered_is_told_what_is_wrong(
    tmp_path: Path, port: int
) -> None:
    async with Scripted(tmp_path, config(port)) as world:
        await ready(world, port)
        assert (await ask(port, "/helloo")).status == 404
        answer = await ask(port, "/echo")
        assert (answer.status, answer.fields["allow"]) == (405, "POST, PUT")
        assert (await ask(port, "/echo", host="evil.test")).status == 421
        for field in ("Origin: http://evil.test", "Origin: null", "Sec-Fetch-Site: cross-site"):
            answer = await ask(port, "/echo", method="POST", content=b"x", more=f"{field}\r\n")
            assert answer.status == 403
        here = "Origin: http://127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n"
        assert (await ask(port, "/echo", method="POST", content=b"x", more=here)).status == 201


async def test_a_faulty_function_is_a_500_and_told_with_its_place(
    tmp_path: Path, port: int
) -> None:
    async with Scripted(tmp_path, config(port)) as world:
        await ready(world, port)
        answer = await ask(port, "/faulty")
        assert (answer.status, answer.text) == (500, "the endpoint failed\n")
        [line] = await world.logged("paniclog", r"endpoint GET /faulty: ")
        assert f"p.lua:{place('nothing.wanted')}: attempt to index" in line
        assert (await ask(port, "/away")).status == 500
        await world.logged("paniclog", rf"endpoint GET /away: .*p\.lua:{place('while true')}: ")
        said = (await ask(port, "/wrong")).text.split("\n")
        assert len(said) == 5
        assert all(each.startswith("false ") for each in said), said
        assert "status from 200 to 599" in said[0]
        assert "string expected, got table" in said[1]
        assert "no line of a header" in said[2]
        assert "set by the server" in said[3]
        assert (await ask(port, "/hello")).status == 200


async def test_a_slow_function_harms_nobody_and_is_ended_in_time(tmp_path: Path, port: int) -> None:
    async with Scripted(tmp_path, config(port, patience=3)) as world:
        await ready(world, port)
        slow = asyncio.ensure_future(ask(port, "/slow?seconds=1"))
        endless = asyncio.ensure_future(ask(port, "/slow?seconds=1000"))
        assert (await ask(port, "/hello")).status == 200
        assert (await world.send("a@x.test", ["b@one.test"], b"Subject: x\r\n\r\n")).startswith("2")
        answer = await slow
        assert (answer.status, answer.text) == (200, "at last")
        assert (await endless).status == 500
        await world.logged("paniclog", "endpoint any method /slow: it waited longer than")


async def test_a_content_has_a_bound_and_one_below_it_comes_whole(
    tmp_path: Path, port: int
) -> None:
    async with Scripted(tmp_path, config(port)) as world:
        await ready(world, port)
        content = os.urandom(MOST_CONTENT)
        answer = await ask(port, "/echo", method="POST", content=content)
        assert (answer.status, answer.body == content) == (201, True)
        answer = await ask(port, "/echo", method="POST", content=content + b"x")
        assert answer.status == 413
        piece = b"%x\r\n%s\r\n" % (1 << 20, bytes(1 << 20))
        async with connected(port) as (reader, writer):
            head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            writer.write(head + 11 * piece + b"0\r\n\r\n")
            assert (await read(reader)).status == 413
        await world.reload(config(port, more="max_request_size = 1000"))

        async def bounded() -> bool:
            answer = await ask(port, "/echo", method="POST", content=bytes(1001))
            return answer.status == 413

        await world.eventually(bounded, "max_request_size")
        assert (await ask(port, "/echo", method="POST", content=bytes(500))).status == 201


async def test_a_worker_which_is_killed_over_a_request_costs_that_request_at_most(
    tmp_path: Path, port: int
) -> None:
    async with Scripted(tmp_path, config(port), workers=2) as world:
        world.write(SCRIPT.replace("msys.sleep(", 'print("begun"); msys.sleep('))
        await world.reload(config(port) + "retry_interval = 1234\n")
        await all_known(world, port)
        one, other = world.worker_pids()
        posted = asyncio.ensure_future(ask(port, "/slow?seconds=600", method="POST"))
        await under_way(world)
        got = asyncio.ensure_future(ask(port, "/slow?seconds=6"))
        await under_way(world, 2)  # the worker which had nothing to do has it
        os.kill(one, signal.SIGKILL)
        await world.until(lambda: posted.done() or begun(world) == 3, "what was in that worker")
        if posted.done():
            await world.eventually(lambda: listening(world, 2), "the worker in its place")
            os.kill(other, signal.SIGKILL)
        # What may be repeated was put to the other one, whichever that was.
        assert (await got).text == "at last"
        if not posted.done():
            os.kill(other, signal.SIGKILL)
        answer = await posted
        assert (answer.status, "not known" in answer.text) == (502, True)
        assert (await ask(port, "/hello")).status == 200


async def test_a_reload_changes_what_can_be_asked_and_ends_nothing(
    tmp_path: Path, port: int
) -> None:
    async with Scripted(tmp_path, config(port)) as world:
        world.write(SCRIPT.replace("msys.sleep(", 'print("begun"); msys.sleep('))
        await world.reload(config(port) + "retry_interval = 1234\n")
        await ready(world, port)
        slow = asyncio.ensure_future(ask(port, "/slow?seconds=3"))
        await under_way(world)
        world.write(SCRIPT.replace('"/hello/"', '"/other"'))
        await world.reload(config(port) + "retry_interval = 4321\n")
        await until(world, port, "/other", 200)
        await until(world, port, "/hello", 404)
        assert (await slow).text == "at last"
        world.write(SCRIPT.replace("function mod:rsrc_setup()", "function mod:rsrc_setup() oops()"))
        world.signal(signal.SIGHUP)
        await world.until(lambda: any("reload refused" in each for each in world.output), "refusal")
        assert (await ask(port, "/other")).status == 200


async def test_too_many_requests_are_told_to_come_again(tmp_path: Path, port: int) -> None:
    async with Scripted(tmp_path, config(port)) as world:
        await ready(world, port)
        many = [asyncio.ensure_future(ask(port, "/slow?seconds=8")) for _ in range(40)]
        answers = await asyncio.gather(*many)
        refused = [each for each in answers if each.status == 503]
        assert {each.status for each in answers} == {200, 503}
        assert 1 <= len(refused) <= 8
        assert all(each.fields["retry-after"] == "1" for each in refused)
        assert (await ask(port, "/readyz")).status == 200


async def test_requests_end_before_the_server_does(tmp_path: Path, port: int) -> None:
    async with Scripted(tmp_path, config(port)) as world:
        world.write(SCRIPT.replace("msys.sleep(", 'print("begun"); msys.sleep('))
        await world.reload(config(port) + "retry_interval = 1234\n")
        await ready(world, port)
        slow = asyncio.ensure_future(ask(port, "/slow?seconds=2"))
        await under_way(world)
        ended = asyncio.ensure_future(world.stop())
        assert (await slow).text == "at last"
        assert await ended == 0
        assert not list((world.state / "run").glob("*.channel"))


async def test_an_upgrade_goes_over_to_the_new_workers(tmp_path: Path, port: int) -> None:
    async with Scripted(tmp_path, config(port)) as world:
        await ready(world, port)
        before = world.worker_pids()
        world.signal(signal.SIGUSR2)
        await world.until(
            lambda: set(world.worker_pids()).isdisjoint(before) and world.worker_pids(),
            "new workers",
        )
        await until(world, port, "/hello", 200)


async def test_who_goes_away_ends_what_was_begun_for_him(tmp_path: Path, port: int) -> None:
    async with Scripted(tmp_path, config(port)) as world:
        world.write(SCRIPT.replace("msys.sleep(", 'print("begun"); msys.sleep('))
        await world.reload(config(port) + "retry_interval = 1234\n")
        await ready(world, port)
        for number in range(1, 41):  # more than may be under way at once
            async with connected(port) as (_, writer):
                writer.write(b"GET /slow?seconds=3000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await under_way(world, number)
        assert (await ask(port, "/hello")).status == 200
        assert json.loads((await ask(port, "/status.json")).text)


EXAMPLE: Final = Path(__file__).parent.parent.parent / "examples" / "http-endpoint"


class Shown(World):
    """The server of the example, its ports and places being ours."""

    http_port = 0

    def configure(self, extra: str) -> None:
        text = (EXAMPLE / "ecelerity.conf").read_text("utf-8")
        text = text.replace("/tmp/http-endpoint", str(self.folder))
        text = text.replace("127.0.0.1:2525", f"127.0.0.1:{self.port}")
        text = text.replace("127.0.0.1:2081", f"127.0.0.1:{self.http_port}")
        text += 'eventloop "pool" { concurrency = 2 }\n'
        self.config.write_text(text, encoding="utf-8")
        script = (EXAMPLE / "suppressed.lua").read_text("utf-8")
        (self.folder / "suppressed.lua").write_text(script, encoding="utf-8")


async def test_the_example_does_what_it_says(tmp_path: Path, port: int) -> None:
    with sqlite3.connect(tmp_path / "list.db") as database:
        database.executescript((EXAMPLE / "list.sql").read_text("utf-8"))
    database.close()
    world = Shown(tmp_path)
    world.http_port = port
    where = "/suppressed?address=Gone@example.org"
    async with world:
        await until(world, port, where, 404)
        assert (await ask(port, where, method="PUT")).text == "suppressed\n"
        seen = json.loads((await ask(port, where)).text)
        assert seen["address"] == "gone@example.org"
        assert (await ask(port, "/suppressed", method="PUT")).status == 400
        async with world.call() as caller:
            await caller.say("MAIL FROM:<a@example.com>")
            reply = await caller.say("RCPT TO:<GONE@example.org>")
            assert reply == "550 5.7.1 this address asked not to be written to"
            assert (await caller.say("RCPT TO:<here@example.org>")).startswith("250")
            assert (await ask(port, where, method="DELETE")).status == 204
            assert (await caller.say("RCPT TO:<gone@example.org>")).startswith("250")
        await world.logged("httplog", '"PUT suppressed HTTP/1.1" 201 ')
