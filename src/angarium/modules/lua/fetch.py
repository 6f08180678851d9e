"""Requests of HTTP for scripts; aiohttp is loaded with this module, so only by who uses it.

What comes is bounded in time and size, and redirects lead to nothing but HTTP. Names are asked of
the worker's own resolver, where it has one.
"""

import asyncio
import base64
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from angarium.core.errors import Error
from angarium.net.dnscache import Resolver
from angarium.net.httpnames import Names

CONNECTIONS: Final = 64  # at once, of one worker
MOST: Final = 16 * 1024 * 1024  # octets of an answer
SECONDS: Final = 60.0  # for a request in all, where a script sets none
REDIRECTS: Final = 10


class FetchError(Error):
    """A request came to nothing."""


@dataclass(slots=True)
class Request:
    """One request.

    Attributes:
        seconds, connect_seconds: for all of it, and until there is a connection.
        redirects: how many may be followed.
        most: octets of the answer.
        failing: an answer of 400 and above is a failure.
        verify: check the certificate of the server; `ca`: with these, in a file.
        certificate, key: files of ours.
        proxy: its URL.
        user: name and password, for the server and for the proxy.
    """

    method: str
    url: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = None
    seconds: float = SECONDS
    connect_seconds: float | None = None
    redirects: int = REDIRECTS
    most: int = MOST
    failing: bool = False
    verify: bool = True
    ca: str = ""
    certificate: str = ""
    key: str = ""
    proxy: str = ""
    user: tuple[str, str] | None = None
    proxy_user: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What was answered; header fields as they came."""

    status: int
    reason: str
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Fetcher:
    """Makes requests, over connections which are kept for the next one."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        connector = aiohttp.TCPConnector(
            limit=CONNECTIONS,
            resolver=None if resolver is None else Names(resolver),
            use_dns_cache=resolver is None,
        )
        # No cookies are kept: two scripts are not one client.
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )

    async def close(self) -> None:
        await self._session.close()

    async def fetch(self, request: Request) -> Response:
        """Make a request. Raises FetchError."""
        url = _url(request.url)
        proxy = _url(request.proxy) if request.proxy else None
        timeout = aiohttp.ClientTimeout(total=request.seconds, connect=request.connect_seconds)
        try:
            async with self._session.request(
                request.method,
                url,
                data=request.body,
                headers=_headers(request.headers, "Authorization", request.user),
                timeout=timeout,
                allow_redirects=request.redirects > 0,
                max_redirects=max(request.redirects, 1),
                ssl=_tls(request),
                proxy=proxy,
                proxy_headers=_headers([], "Proxy-Authorization", request.proxy_user),
                # Whoever sends something says what it is.
                skip_auto_headers=("Content-Type",),
            ) as response:
                if request.failing and response.status >= 400:
                    raise FetchError(f"{url.host} answers {response.status} {response.reason}")
                return Response(
                    response.status,
                    response.reason or "",
                    list(response.raw_headers),
                    await _content(response, request.most),
                )
        except TimeoutError as error:
            raise FetchError(f"{url.host} did not answer in {request.seconds:g} s") from error
        except aiohttp.TooManyRedirects as error:
            raise FetchError(f"{url.host} redirects too often") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchError(f"{url.host}: {str(error) or type(error).__name__}") from error


def _url(text: str) -> URL:
    try:
        url = URL(text)
    except ValueError as error:
        raise FetchError(f"'{text}' is no URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise FetchError(f"'{text}' is no URL of HTTP")
    return url


def _headers(
    given: list[tuple[str, str]], name: str, user: tuple[str, str] | None
) -> list[tuple[str, str]] | None:
    """Return header fields, with name and password in one of them (RFC 7617)."""
    if user is None:
        return given or None
    octets = ":".join(user).encode("utf-8", "surrogateescape")
    return [*given, (name, f"Basic {base64.b64encode(octets).decode()}")]


def _tls(request: Request) -> ssl.SSLContext | bool:
    """Return what a connection by TLS is made with."""
    if not (request.ca or request.certificate):
        return request.verify
    try:
        context = ssl.create_default_context(cafile=request.ca or None)
        if not request.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if request.certificate:
            key = Path(request.key) if request.key else None
            context.load_cert_chain(request.certificate, key)
    except (OSError, ValueError) as error:
        raise FetchError(f"certificates cannot be read: {error}") from error
    return context


async def _content(response: aiohttp.ClientResponse, most: int) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_chunked(65536):
        size += len(part)
        if size > most:
            raise FetchError(f"the answer has more than {most} octets")
        parts.append(part)
        await asyncio.sleep(0)
    return b"".join(parts)
