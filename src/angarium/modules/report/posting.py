"""Reports which go by HTTPS (RFC 8460 section 5.4); aiohttp is loaded with this module."""

import asyncio
import ssl
from typing import Final

import aiohttp

from angarium.core.errors import Error
from angarium.net.dnscache import Resolver
from angarium.net.httpnames import Names

SECONDS: Final = 60.0
TYPE: Final = "application/tlsrpt+gzip"


class PostError(Error):
    """A report was not taken."""


class Poster:
    """Posts reports.

    Args:
        context: for TLS; None: with the authorities of the system.
    """

    def __init__(self, resolver: Resolver, context: ssl.SSLContext | None = None) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=Names(resolver), use_dns_cache=False),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        self._context = context

    async def close(self) -> None:
        await self._session.close()

    async def post(self, url: str, octets: bytes) -> None:
        """Post a report. Raises PostError."""
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._session.post(
                    url,
                    data=octets,
                    headers={"Content-Type": TYPE},
                    allow_redirects=False,
                    ssl=self._context or True,
                ) as response,
            ):
                if not 200 <= response.status < 300:
                    raise PostError(f"the answer is {response.status} {response.reason}")
        except TimeoutError as error:
            raise PostError(f"no answer within {SECONDS:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PostError(str(error) or type(error).__name__) from error
