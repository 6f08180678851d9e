"""Requests of HTTP, as scripts make them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from angarium.modules.lua.fetch import Fetcher, FetchError, Request
from helpers.dns import FakeDns


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    made = Fetcher(FakeDns("web.example A 127.0.0.1\nsix.example AAAA ::1"))
    yield made
    await made.close()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    answers = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.append(asyncio.current_task())
        with closing(writer), suppress(asyncio.IncompleteReadError):  # Who is refused says nothing.
            head = await reader.readuntil(b"\r\n\r\n")
            wanted = (b"get", b"au")
            lines = [line for line in head.split(b"\r\n") if line.lower().startswith(wanted)]
            body = b"|".join(lines)
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(body), body))  # fmt: skip
            await writer.drain()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    await asyncio.gather(*filter(None, answers))


async def test_names_are_asked_of_the_worker(fetcher: Fetcher, port: int) -> None:
    response = await fetcher.fetch(Request("GET", f"http://web.example:{port}/x"))
    assert (response.status, response.reason, response.body) == (200, "OK", b"GET /x HTTP/1.1")
    assert (b"Connection", b"close") in response.headers


async def test_name_and_password_go_in_their_field(fetcher: Fetcher, port: int) -> None:
    request = Request("GET", f"http://web.example:{port}/", user=("u", "p"))
    assert (await fetcher.fetch(request)).body.endswith(b"|Authorization: Basic dTpw")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("gopher://web.example/", "no URL of HTTP"),
        ("http:///", "no URL of HTTP"),
        ("http://none.example/", "no such name"),
        ("http://web.example:1/", "web.example"),
        ("http://[::1/", "no URL"),
    ],
)
async def test_what_cannot_be_fetched_says_why(fetcher: Fetcher, url: str, said: str) -> None:
    with pytest.raises(FetchError, match=said):
        await fetcher.fetch(Request("GET", url))


async def test_a_proxy_is_asked_instead(fetcher: Fetcher, port: int) -> None:
    request = Request("GET", "http://far.example/y", proxy=f"http://web.example:{port}")
    assert (await fetcher.fetch(request)).body == b"GET http://far.example/y HTTP/1.1"


async def test_certificates_which_cannot_be_read_are_told(fetcher: Fetcher, tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("no certificate")
    for request in (
        Request("GET", "https://web.example/", ca=str(tmp_path / "none")),
        Request("GET", "https://web.example/", certificate=str(tmp_path / "bad")),
    ):
        with pytest.raises(FetchError, match="certificates cannot be read"):
            await fetcher.fetch(request)


async def test_a_header_which_is_none_is_refused(fetcher: Fetcher, port: int) -> None:
    request = Request("GET", f"http://web.example:{port}/", headers=[("A", "b\r\nC: d")])
    with pytest.raises(FetchError, match=r"web\.example"):
        await fetcher.fetch(request)
