"""Clients of HTTP which mean no good, and those which are merely odd."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from angarium.console.attempts import Attempts
from angarium.web import guard
from angarium.web.asked import Asked
from angarium.web.guard import MOST_CONNECTIONS, MOST_HEADER, Manners, host_of, octets_of
from angarium.web.rights import Rights
from helpers.browser import WELL, Watched, ask, connected, cut_off, read, serving
from helpers.clock import FakeClock


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
async def test_only_get_and_head_are_known(method: str) -> None:
    async with serving(Watched(WELL)) as port:
        answer = await ask(port, "/status", method=method)
    assert (answer.status, answer.fields["allow"]) == (405, "GET, HEAD")


async def test_head_says_how_long_the_answer_would_be() -> None:
    async with serving(Watched(WELL)) as port:
        answer = await ask(port, "/healthz", method="HEAD")
    assert (answer.status, answer.fields["content-length"], answer.body) == (200, "6", b"")


@pytest.mark.parametrize("more", ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"])
async def test_a_request_with_a_content_is_refused(more: str) -> None:
    async with serving(Watched(WELL)) as port:
        assert (await ask(port, "/status", more=more)).status == 400


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("127.0.0.1:2081", 200), ("[::1]:2081", 200), ("192.0.2.7", 200),
        ("localhost", 200), ("LOCALHOST:80", 200), ("mail.localhost.", 200),
        ("mx.node.test", 200), ("MX.Node.Test:2081", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("", 421), ("mx.node.test.x", 421),
        ("localhost.evil.example:2081", 421), ("[evil", 421),
    ],
)  # fmt: skip
async def test_a_name_which_others_can_point_to_us_is_refused(host: str, status: int) -> None:
    async with serving(Watched(WELL), hosts=["mx.node.test"]) as port:
        assert (await ask(port, "/status", host=host)).status == status


async def test_who_may_not_ask_is_told_so_whatever_he_asks_for(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("tim:secret\n")
    rights = Rights(f"file://{tmp_path}/users", "x", False, Attempts(FakeClock()), print)
    tim = "Authorization: Basic dGltOnNlY3JldA==\r\n"
    async with serving(Watched(WELL), (), Manners(rights=rights)) as port:
        for path in ("/healthz", "/status", "/nothing"):
            refused = await ask(port, path)
            assert (refused.status, refused.text) == (401, "who are you?\n")
        assert (await ask(port, "/healthz", more=tim)).status == 200
        async with connected(port) as (reader, writer):  # One connection asks, and then says who.
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await read(reader)).status == 401
            request = f"GET /healthz HTTP/1.1\r\nHost: localhost\r\n{tim}\r\n"
            writer.write(request.encode())
            assert (await read(reader)).status == 200


async def test_two_hosts_in_one_request_are_refused() -> None:
    async with serving(Watched(WELL)) as port:
        answer = await ask(port, "/status", more="Host: localhost\r\n")
    assert answer.status in (400, 421)


ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_one_connection_serves_many_requests() -> None:
    async with serving(Watched(WELL)) as port, connected(port) as (reader, writer):
        for _ in range(3):
            writer.write(ALIVE)
            assert (await read(reader)).status == 200


@pytest.mark.parametrize(
    "octets",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),  # TLS
        b"EHLO me.test\r\n\r\n",
        b"GET / HTTP/x.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",  # without a host
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX y: z\r\n\r\n",
        bytes(range(256)) * 4 + b"\r\n\r\n",
    ],
)
async def test_garbage_is_answered_with_400_and_the_end(octets: bytes) -> None:
    async with serving(Watched(WELL)) as port:
        async with connected(port) as (reader, writer):
            writer.write(octets)
            said = await asyncio.wait_for(reader.read(), 90)
        assert said.startswith(b"HTTP/1.1 400")
        assert (await ask(port, "/healthz")).status == 200


async def test_garbage_makes_no_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(Watched(WELL)) as port, connected(port) as (reader, writer):
        writer.write(b"nonsense\r\n\r\n")
        await asyncio.wait_for(reader.read(), 90)
    assert not caplog.records


async def test_a_header_without_an_end_is_refused() -> None:
    async with serving(Watched(WELL)) as port, connected(port) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        for _ in range(MOST_HEADER // 1000 + 2):
            writer.write(b"X-Long: " + b"x" * 1000 + b"\r\n")
        said = await asyncio.wait_for(reader.read(), 90)
    assert said.startswith(b"HTTP/1.1 4")


async def test_who_sends_an_octet_now_and_then_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "REQUEST_SECONDS", 0.1)
    loop = asyncio.get_running_loop()
    async with serving(Watched(WELL)) as port, connected(port) as (reader, writer):
        begun, ending = loop.time(), asyncio.ensure_future(cut_off(reader))
        while not ending.done():
            assert loop.time() - begun < 90, "an octet was enough to stay"
            writer.write(b"X")
            await asyncio.wait([ending], timeout=0.02)
        assert await ending


async def test_who_says_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "REQUEST_SECONDS", 0.05)
    async with serving(Watched(WELL)) as port, connected(port) as (reader, _):
        assert await cut_off(reader)


async def test_who_asks_no_more_is_cut_off_after_its_idle_time() -> None:
    manners = Manners(idle_seconds=0.5)
    async with serving(Watched(WELL), (), manners) as port, connected(port) as (reader, writer):
        writer.write(ALIVE)
        assert (await read(reader)).status == 200
        assert await cut_off(reader)


async def test_who_does_not_take_its_answers_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "REQUEST_SECONDS", 0.2)
    ended = asyncio.Event()
    lost = guard.Guarded.connection_lost

    def noted(self: guard.Guarded, exc: Exception | None) -> None:
        lost(self, exc)
        ended.set()

    monkeypatch.setattr(guard.Guarded, "connection_lost", noted)
    async with serving(Watched(WELL)) as port, connected(port) as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000)
        await asyncio.wait_for(ended.wait(), 90)


@pytest.mark.parametrize(
    ("more", "status"),
    [("", 200), ("X: 3456789\r\n", 200), ("X: 34567890\r\n", 413), ("Content-Length: 9\r\n", 413)],
)
async def test_a_request_which_is_too_long_is_refused_by_its_length(more: str, status: int) -> None:
    whole = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: 3456789\r\nConnection: close\r\n\r\n"
    async with serving(Watched(WELL), (), Manners(most_octets=len(whole))) as port:
        assert (await ask(port, "/healthz", more=more)).status == status


def test_octets_of_a_request_are_those_which_came_and_those_announced() -> None:
    scope = {
        "method": "GET", "raw_path": b"/a%20b", "query_string": b"c=d", "http_version": "1.1",
        "headers": [(b"host", b"x"), (b"content-length", b"1000")],
    }  # fmt: skip
    came = len("GET /a%20b?c=d HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
    assert octets_of(scope) == came + 1000
    scope["headers"] = [(b"content-length", b"+5")]  # The gate refuses what is no number.
    assert octets_of(scope) < came


@pytest.mark.parametrize(
    "octets",
    [
        ALIVE,
        b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"no\r\n\r\n",
    ],
)
async def test_no_answer_is_sent_in_chunks(octets: bytes) -> None:
    async with serving(Watched(WELL)) as port, connected(port) as (reader, writer):
        writer.write(octets)
        answer = await read(reader)
    assert "transfer-encoding" not in answer.fields
    assert len(answer.body) == int(answer.fields["content-length"]) > 0


async def test_each_request_which_was_answered_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Asked] = []
    manners = Manners(local="*:80", told=told.append)
    async with serving(Watched(WELL), (), manners) as port, connected(port) as (reader, writer):
        loop = asyncio.get_running_loop()
        writer.write(ALIVE + b"HEAD /nothing?x=y HTTP/1.1\r\nHost: localhost\r\n\r\n")
        first = await read(reader)
        await read(reader, head=True)
        begun = loop.time()
        writer.write(b"GET /a%20b HTTP/1.0\r\n\r\n")
        rest = await reader.read()
        taken = loop.time() - begun
    ours = writer.get_extra_info("sockname")[1]
    assert [(each.method, each.target, each.version, each.status) for each in told] == [
        ("GET", "/healthz", "1.1", 200),
        ("HEAD", "/nothing", "1.1", 404),
        ("GET", "/a%20b", "1.0", 404),
    ]
    assert {(each.address, each.port, each.local) for each in told} == {("127.0.0.1", ours, "*:80")}
    assert told[0].octets > len(first.body) + 100  # with its header
    assert told[2].octets == len(rest)
    assert 0 <= told[2].seconds <= taken


async def test_one_connection_too_many_is_told_so_and_the_others_go_on() -> None:
    async with serving(Watched(WELL)) as port, contextlib.AsyncExitStack() as stack:
        held = [await stack.enter_async_context(connected(port)) for _ in range(MOST_CONNECTIONS)]
        more, _ = await stack.enter_async_context(connected(port))
        assert (await read(more)).status == 503
        reader, writer = held[0]
        writer.write(ALIVE)
        assert (await read(reader)).status == 200


@pytest.mark.parametrize(
    ("field", "host"),
    [("[2001:db8::1]:80", "2001:db8::1"), ("A.B:1", "a.b"), ("a.b.", "a.b"), ("[", ""), ("", "")],
)
def test_the_host_of_a_field(field: str, host: str) -> None:
    assert host_of(field) == host
