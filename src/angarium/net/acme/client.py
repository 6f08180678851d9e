"""Carries the steps of an order to an authority over HTTPS, and its answers back.

    chain = await Client(context, key, folder.show).run(ordering(wish))       raises AcmeError

What comes is bounded in size and time, what fails on the way is tried again, and an answer which
tells that a nonce is used up is none (RFC 8555 section 6.5). aiohttp is loaded with this module,
so only by who orders.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Final

import aiohttp

from angarium.wire.acme import jose
from angarium.wire.acme.documents import MOST_CHAIN, problem
from angarium.wire.acme.errors import AcmeError
from angarium.wire.acme.order import Ask, Look, Reply, Rest, Show, Steps, T

SECONDS: Final = 30.0  # for one request
ORDER_SECONDS: Final = 1200.0  # for all of an order; `ordering` has lost its patience before
TRIES: Final = 4
FIRST_REST: Final = 1.0  # before the second try; doubled each time
MOST_REST: Final = 30.0  # which an authority may ask for before a try; else the order has failed
MOST_WAIT: Final = 7 * 86400.0  # of Retry-After
MOST_NONCE: Final = 512
MOST_LOCATION: Final = 2048
BAD_NONCE: Final = "badNonce"


class Client:
    """One order's connection to an authority.

    Args:
        context: with the authorities whose word counts for the server of this one.
        key: of the account.
        show: lets a challenge be found.
        rest: waits; tests do not.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        key: jose.Key,
        show: Callable[[str, str], None],
        rest: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._context = context
        self._key = key
        self._show = show
        self._rest = rest
        self._nonce = ""
        self._session: aiohttp.ClientSession

    async def run(self, steps: Steps[T]) -> T:
        """Do what is to be done, to the end. Raises AcmeError, OSError."""
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        headers = {"User-Agent": f"Angarium/{version('angarium')}", "Accept-Language": "en"}
        try:
            async with (
                asyncio.timeout(ORDER_SECONDS),
                aiohttp.ClientSession(
                    timeout=timeout,
                    headers=headers,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    trust_env=False,
                ) as self._session,
            ):
                return await self._all(steps)
        except TimeoutError as error:
            raise AcmeError(f"the order is not done in {ORDER_SECONDS:g} s") from error

    async def _all(self, steps: Steps[T]) -> T:
        reply: Reply | None = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                found: T = end.value
                return found
            reply = None
            match step:
                case Rest():
                    await self._rest(step.seconds)
                case Show():
                    await asyncio.to_thread(self._show, step.token, step.text)
                case Look() | Ask():
                    reply = await self._tried(step)

    async def _tried(self, step: Look | Ask) -> Reply:
        """Get an answer; what fails on the way, or only now, is tried again."""
        rest, failed = FIRST_REST, AcmeError("the authority cannot be asked")
        for _ in range(TRIES):
            try:
                reply = await self._once(step)
            except AcmeError as error:
                failed, wait = error, rest
            else:
                again = reply.status >= 500 and reply.wait <= MOST_REST
                stale = reply.status == 400 and problem(reply.body).kind == BAD_NONCE
                if not again and not stale:
                    return reply
                text = f"the authority answers {reply.status}: {problem(reply.body)}"
                failed = AcmeError(text, problem(reply.body).kind, reply.wait, url=step.url)
                # A new nonce came with the refusal of the old one: nothing is to be waited for.
                wait = 0.0 if stale else max(rest, reply.wait)
            if wait:
                await self._rest(wait)
                rest *= 2
        raise failed

    async def _once(self, step: Look | Ask) -> Reply:
        if isinstance(step, Look):
            return await self._request("GET", step.url)
        if not self._nonce:
            await self._request("HEAD", step.nonces)
            if not self._nonce:
                raise AcmeError("the authority gives no nonce", url=step.nonces)
        nonce, self._nonce = self._nonce, ""
        body = jose.signed(
            self._key, url=step.url, nonce=nonce, payload=step.payload, account=step.account
        )
        return await self._request("POST", step.url, body)

    async def _request(self, method: str, url: str, body: bytes | None = None) -> Reply:
        try:
            async with self._session.request(
                method,
                url,
                data=body,
                headers={"Content-Type": jose.JOSE_TYPE} if body is not None else {},
                ssl=self._context,
                allow_redirects=False,  # section 6.2: the address is part of what is signed
            ) as response:
                self._take_nonce(response.headers)
                return Reply(
                    response.status,
                    await _bounded(response),
                    response.headers.get("Location", "")[:MOST_LOCATION],
                    seconds_of(response.headers.get("Retry-After", ""), time.time()),
                )
        except TimeoutError as error:
            raise AcmeError(f"no answer within {SECONDS:g} s", url=url) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise AcmeError(f"the authority cannot be asked: {reason}", url=url) from error

    def _take_nonce(self, headers: Mapping[str, str]) -> None:
        """Keep what the next request begins with; what is no base64url is none (6.5.1)."""
        nonce = headers.get("Replay-Nonce", "")
        try:
            jose.decoded(nonce)
        except ValueError:
            return
        if nonce and len(nonce) <= MOST_NONCE:
            self._nonce = nonce


def seconds_of(field: str, now: float) -> float:
    """Return what Retry-After says, in seconds from now; 0: nothing that is understood."""
    text = field.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), MOST_WAIT)
    try:
        at = parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0.0
    return min(max(at - now, 0.0), MOST_WAIT)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for piece in response.content.iter_chunked(16384):
        body += piece
        if len(body) > MOST_CHAIN:
            raise AcmeError("an answer which is too long", url=str(response.url))
    return body
