"""Policies from a real web server, with a certificate that is right or is not."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from angarium.net.tlspolicy.fetch import Fetch, FetchError
from angarium.net.tlspolicy.sts import MAX_OCTETS, Mode
from helpers import certificates
from helpers.dns import FakeDns

POLICY = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 86400\n"
HOST = "mta-sts.example.com"
Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(
    folder: Path, page: Page, *names: str, context: ssl.SSLContext | None = None
) -> AsyncIterator[Fetch]:
    application = web.Application()
    application.router.add_get("/.well-known/mta-sts.txt", page)
    runner = web.AppRunner(application)
    await runner.setup()
    pair = certificates.authority().signed(*(names or (HOST,)))
    site = web.TCPSite(
        runner, "127.0.0.1", 0, ssl_context=certificates.server_context(folder, pair)
    )
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    fetch = Fetch(FakeDns(f"{HOST} A 127.0.0.1"), context or certificates.client_context(), port)
    try:
        yield fetch
    finally:
        await fetch.close()
        await runner.cleanup()


def page(text: str = POLICY, status: int = 200, kind: str = "text/plain") -> Page:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=text, status=status, content_type=kind)

    return answer


async def test_a_policy_is_fetched_from_where_the_rfc_says(tmp_path: Path) -> None:
    async with served(tmp_path, page()) as fetch:
        policy = await fetch.policy("example.com")
    assert (policy.mode, policy.hosts) == (Mode.ENFORCE, ("mx.example.com",))


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (page(status=404), "sts-policy-fetch-error"),
        (page(status=301), "sts-policy-fetch-error"),
        (page(kind="text/html"), "sts-policy-invalid"),
        (page("mode: enforce"), "sts-policy-invalid"),
        (page("a" * (MAX_OCTETS + 1)), "sts-policy-invalid"),
    ],
)
async def test_what_is_no_policy_is_told_with_the_word_of_reports(
    tmp_path: Path, answer: Page, result: str
) -> None:
    async with served(tmp_path, answer) as fetch:
        with pytest.raises(FetchError) as caught:
            await fetch.policy("example.com")
    assert caught.value.result == result


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound("https://mta-sts.example.com/other")

    async with served(tmp_path, away) as fetch:
        with pytest.raises(FetchError, match="302"):
            await fetch.policy("example.com")


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_certificate_has_to_be_the_hosts_and_trusted(tmp_path: Path, trusted: bool) -> None:
    context = certificates.client_context() if trusted else ssl.create_default_context()
    names = ("other.example",) if trusted else (HOST,)
    async with served(tmp_path, page(), *names, context=context) as fetch:
        with pytest.raises(FetchError) as caught:
            await fetch.policy("example.com")
    assert caught.value.result == "sts-webpki-invalid"


async def test_who_does_not_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("angarium.net.tlspolicy.fetch.SECONDS", 0.05)
    ended = asyncio.Event()

    async def silent(request: web.Request) -> web.Response:
        await ended.wait()
        return web.Response()

    async with served(tmp_path, silent) as fetch:
        with pytest.raises(FetchError, match="in time"):
            await fetch.policy("example.com")
        ended.set()


async def test_a_host_without_an_address_is_told() -> None:
    fetch = Fetch(FakeDns(), certificates.client_context())
    try:
        with pytest.raises(FetchError) as caught:
            await fetch.policy("example.com")
    finally:
        await fetch.close()
    assert caught.value.result == "sts-policy-fetch-error"
