"""Fetches the policy of a domain from its web server (RFC 8461 section 3.3).

aiohttp is loaded with this module, so only by who needs a policy.
"""

import asyncio
import ssl
from typing import Final

import aiohttp

from angarium.core.errors import Error
from angarium.net.dnscache import Resolver
from angarium.net.httpnames import Names
from angarium.net.tlspolicy.sts import MAX_OCTETS, Policy, StsError, parsed

SECONDS: Final = 60.0  # section 3.3 suggests a minute
CONNECTIONS: Final = 16  # at once, of one worker
PORT: Final = 443


class FetchError(Error):
    """There is no policy to be had. `result`: what a report says (RFC 8460 section 4.3)."""

    def __init__(self, message: str, result: str, **fields: object) -> None:
        super().__init__(message, **fields)
        self.result = result


class Fetch:
    """Asks web servers for policies, one request for each.

    Args:
        context: with the authorities whose word counts.
        port: of the web servers; tests have no other.
    """

    def __init__(self, resolver: Resolver, context: ssl.SSLContext, port: int = PORT) -> None:
        self._resolver = resolver
        self._context = context
        self._port = port
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """End what is under way."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def policy(self, domain: str) -> Policy:
        """Return the policy of a domain. Raises FetchError."""
        host = f"mta-sts.{domain}"
        try:
            return parsed(await self._document(host))
        except StsError as error:
            raise FetchError(error.message, "sts-policy-invalid", **error.fields) from error
        except (
            aiohttp.ClientConnectorCertificateError,
            aiohttp.ClientSSLError,
            ssl.SSLError,
        ) as error:
            raise FetchError(
                f"the certificate of {host} is not accepted", "sts-webpki-invalid",
                reason=str(error),
            ) from error  # fmt: skip
        except TimeoutError as error:
            raise FetchError(f"{host} did not answer in time", "sts-policy-fetch-error") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchError(
                f"{host} cannot be asked", "sts-policy-fetch-error",
                reason=str(error) or type(error).__name__,
            ) from error  # fmt: skip

    async def _document(self, host: str) -> bytes:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=CONNECTIONS,
                resolver=Names(self._resolver),
                use_dns_cache=False,
                force_close=True,  # nobody is asked again within a day
            )
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        port = "" if self._port == PORT else f":{self._port}"
        async with (
            asyncio.timeout(SECONDS),
            self._session.get(
                f"https://{host}{port}/.well-known/mta-sts.txt",
                allow_redirects=False,  # section 3.3: they must not be followed
                ssl=self._context,
                headers={"Accept": "text/plain"},
            ) as response,
        ):
            if response.status != 200:
                raise FetchError(
                    f"{host} answers {response.status} {response.reason}", "sts-policy-fetch-error"
                )
            if response.content_type != "text/plain":
                raise FetchError(
                    f"{host} sends no text/plain", "sts-policy-invalid", type=response.content_type
                )
            return await _bounded(response, host)


async def _bounded(response: aiohttp.ClientResponse, host: str) -> bytes:
    document = b""
    async for piece in response.content.iter_chunked(16384):
        document += piece
        if len(document) > MAX_OCTETS:
            raise FetchError(f"the policy of {host} is too long", "sts-policy-invalid")
    return document
