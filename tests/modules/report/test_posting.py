"""Reports by HTTPS, to a real web server."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from angarium.modules.report.posting import TYPE, Poster, PostError
from helpers import certificates
from helpers.dns import FakeDns

HOST = "reports.b.test"


class Place:
    """A web server which takes reports."""

    def __init__(self) -> None:
        self.status = 201
        self.taken: list[tuple[str, bytes]] = []
        self.waits: asyncio.Event | None = None
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        if self.waits is not None:
            await self.waits.wait()
        self.taken.append((request.headers["Content-Type"], await request.read()))
        headers = {"Location": self.url} if self.status == 307 else {}
        return web.Response(status=self.status, headers=headers)

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[None]:
        application = web.Application()
        application.router.add_post("/v1", self.take)
        runner = web.AppRunner(application)
        await runner.setup()
        pair = certificates.authority().signed(HOST)
        site = web.TCPSite(
            runner, "127.0.0.1", 0, ssl_context=certificates.server_context(folder, pair)
        )
        await site.start()
        assert site._server is not None
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self.url = f"https://{HOST}:{port}/v1"
        try:
            yield
        finally:
            await runner.cleanup()


def poster(context: ssl.SSLContext | None = None) -> Poster:
    return Poster(FakeDns(f"{HOST} A 127.0.0.1"), context or certificates.client_context())


async def test_a_report_is_posted_as_what_it_is(tmp_path: Path) -> None:
    place, sender = Place(), poster()
    async with place.open(tmp_path):
        await sender.post(place.url, b"packed")
        await sender.close()
    assert place.taken == [(TYPE, b"packed")]


@pytest.mark.parametrize("status", [307, 404, 500])
async def test_any_answer_but_success_is_a_failure(tmp_path: Path, status: int) -> None:
    place, sender = Place(), poster()
    place.status = status
    async with place.open(tmp_path):
        with pytest.raises(PostError, match=str(status)):
            await sender.post(place.url, b"packed")
        await sender.close()
    assert len(place.taken) == 1


async def test_a_certificate_nobody_vouches_for_is_a_failure(tmp_path: Path) -> None:
    place, sender = Place(), poster(ssl.create_default_context())
    async with place.open(tmp_path):
        with pytest.raises(PostError):
            await sender.post(place.url, b"packed")
        await sender.close()
    assert not place.taken


async def test_who_does_not_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("angarium.modules.report.posting.SECONDS", 0.05)
    place, sender = Place(), poster()
    place.waits = asyncio.Event()
    async with place.open(tmp_path):
        with pytest.raises(PostError, match="no answer"):
            await sender.post(place.url, b"packed")
        place.waits.set()
        await sender.close()


async def test_what_is_no_url_is_a_failure() -> None:
    sender = poster()
    with pytest.raises(PostError):
        await sender.post("https://", b"packed")
    await sender.close()
