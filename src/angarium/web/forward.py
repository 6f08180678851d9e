"""Requests for endpoints of scripts: bounded here, answered by a worker.

    404   nothing is registered at the path       405   nothing with this method
    403   a browser was led here by another site  413   it is longer than it may be
    502   the worker has ended over it            503   nobody takes it now: Retry-After
    504   the worker has not answered in time

The rule: **all requests together cost a bounded amount of memory and time**, whatever clients send;
and what the server answers by itself, such as /metrics, is never kept from anybody by it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from angarium.web.app import PATHS
from angarium.web.guard import (
    LONGER,
    MOST,
    REQUEST_SECONDS,
    App,
    Receive,
    Scope,
    Send,
    answer,
    host_of,
)
from angarium.web.workers import (
    Answer,
    BusyError,
    LostError,
    NobodyError,
    OtherMethodError,
    Workers,
)
from angarium.wire.channel import MOST_CONTENT, HttpRequest

MOST_REQUESTS: Final = 32  # at once: half of all connections are left for who watches
MOST_OCTETS: Final = 64 << 20  # of all their contents together
SLOWEST: Final = 65536  # octets a second: who sends a content slower is cut off
DROP_SECONDS: Final = 2.0  # for the rest of a content which is refused
_CONTENT: Final = (b"content-length", b"transfer-encoding")
RETRY: Final = (b"retry-after", b"1")
CLOSE: Final = (b"connection", b"close")


class RefusalError(Exception):
    """The request is answered so, and by nobody else."""

    def __init__(self, status: int, text: str, *fields: tuple[bytes, bytes]) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.fields = fields


class GoneError(Exception):
    """Who has asked is gone."""


@dataclass(slots=True)
class Load:
    """What is under way, of all listeners together."""

    requests: int = 0
    octets: int = 0


class Forward:
    """An application which asks workers; what is not for them it leaves to another one.

    Args:
        otherwise: answers what the server answers by itself.
        seconds: how long a worker may take, 0 where no endpoint is to be asked.
    """

    def __init__(
        self, otherwise: App, workers: Workers, load: Load, seconds: Callable[[], float]
    ) -> None:
        self._otherwise = otherwise
        self._workers = workers
        self._load = load
        self._seconds = seconds

    def takes(self, path: str) -> bool:
        """Say whether a path may be that of an endpoint."""
        return self._seconds() > 0 and path not in PATHS and path != "/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.takes(scope["path"]):
            await self._otherwise(scope, receive, send)
            return
        load = self._load
        reading = Reading(scope, receive, load)
        load.requests += 1
        try:
            head, content = await self._answered(scope, reading)
            await answer(send, head.status, content, head.fields)
        except RefusalError as refusal:
            reading.forget()
            await _refuse(send, refusal, reading)
        except GoneError:
            return
        finally:
            reading.forget()
            load.requests -= 1

    async def _answered(self, scope: Scope, reading: "Reading") -> Answer:
        """Return the answer. Raises RefusalError and GoneError."""
        _same_site(scope)
        if self._load.requests > MOST_REQUESTS:
            raise RefusalError(503, "too many requests", RETRY, CLOSE)
        seconds = self._seconds()
        try:
            await self._workers.known(scope["method"], scope["path"])
            content = await reading.whole()
            scope["state"][LONGER](seconds + REQUEST_SECONDS)
            asking = asyncio.ensure_future(self._workers.ask(_head(scope, seconds), content))
            return await _unless_gone(asking, reading, seconds)
        except NobodyError:
            raise RefusalError(404, "not found", CLOSE) from None
        except OtherMethodError as error:
            allowed = ", ".join(error.allowed).encode()
            raise RefusalError(
                405, "another method is asked for", (b"allow", allowed), CLOSE
            ) from None
        except BusyError as error:
            raise RefusalError(503, error.message, RETRY, CLOSE) from None
        except LostError:
            text = "the worker has ended over it; whether it was done is not known"
            raise RefusalError(502, text, CLOSE) from None
        except TimeoutError:
            raise RefusalError(504, "the worker has not answered in time", CLOSE) from None


async def _refuse(send: Send, refusal: RefusalError, reading: "Reading") -> None:
    """Send a refusal, and let who is still sending its content see it.

    To hang up while octets come in would be a reset, which takes the answer with it.
    """
    body = f"{refusal.text}\n".encode()
    kind = (b"content-type", b"text/plain; charset=utf-8")
    length = (b"content-length", str(len(body)).encode())
    fields = [kind, length, *refusal.fields]
    await send({"type": "http.response.start", "status": refusal.status, "headers": fields})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await reading.drop()
    await send({"type": "http.response.body", "body": b""})


async def _unless_gone(
    asking: "asyncio.Task[Answer]", reading: "Reading", seconds: float
) -> Answer:
    """Return the answer, unless it comes too late or nobody waits for it any more.

    Raises:
        GoneError, TimeoutError: that.
    """
    leaving = asyncio.ensure_future(reading.gone())
    try:
        await asyncio.wait((asking, leaving), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        if leaving.done():
            raise GoneError
        raise TimeoutError
    finally:
        asking.cancel()
        leaving.cancel()
        await asyncio.gather(asking, leaving, return_exceptions=True)


class Reading:
    """The content of a request as it comes.

    Attributes:
        taken: octets of it which are in memory.
    """

    def __init__(self, scope: Scope, receive: Receive, load: Load) -> None:
        self._receive = receive
        self._longer: Callable[[float], None] = scope["state"][LONGER]
        self._most = min(scope["state"][MOST] or MOST_CONTENT, MOST_CONTENT)
        self._load = load
        self._has = [value for name, value in scope["headers"] if name in _CONTENT]
        self._ended = False
        self.taken = 0

    async def whole(self) -> bytes:
        """Return it. Raises RefusalError and GoneError."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        if any(each.isdigit() and int(each[:18]) > self._most for each in self._has):
            self._too_long()
        pieces: list[bytes] = []
        while not self._ended:
            message = await self._receive()
            if message["type"] != "http.request":
                raise GoneError
            piece: bytes = message.get("body", b"")
            self._ended = not message.get("more_body", False)
            self._take(len(piece))
            pieces.append(piece)
            # Who sends on has time to; who only sends an octet now and then has not.
            passed = loop.time() - begun
            self._longer(max(0.0, REQUEST_SECONDS + self.taken / SLOWEST - passed))
        return b"".join(pieces)

    def _take(self, octets: int) -> None:
        if self.taken + octets > self._most:
            self._too_long()
        if self._load.octets + octets > MOST_OCTETS:
            raise RefusalError(503, "too much at once", RETRY, CLOSE)
        self.taken += octets
        self._load.octets += octets

    def _too_long(self) -> NoReturn:
        raise RefusalError(413, f"a content has at most {self._most} octets here", CLOSE)

    def forget(self) -> None:
        """It is needed no more."""
        self._load.octets -= self.taken
        self.taken = 0

    async def drop(self) -> None:
        """Take what is still to come, for a while, and drop it."""
        if self._ended or not self._has:
            return
        self._longer(2 * DROP_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(DROP_SECONDS):
                while (await self._receive()).get("more_body", False):
                    pass

    async def gone(self) -> None:
        """Return when who has asked is gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _same_site(scope: Scope) -> None:
    """Raise RefusalError where a browser asks for a page of another site.

    A listener may be open to all who reach it, such as on loopback; a page from elsewhere in a
    browser of theirs is not one of them. Programs send neither of these fields.
    """
    fields: dict[bytes, bytes] = dict(scope["headers"])
    site = fields.get(b"sec-fetch-site", b"none")
    origin = fields.get(b"origin")
    host = fields.get(b"host", b"").decode("latin-1").lower()
    named = origin is None or origin.decode("latin-1").lower().partition("://")[2] == host
    if site not in (b"none", b"same-origin") or not named or (origin and not host_of(host)):
        raise RefusalError(403, "pages of other sites may not ask here", CLOSE)


def _head(scope: Scope, seconds: float) -> HttpRequest:
    query: bytes = scope["query_string"]
    target: bytes = scope["raw_path"] + (b"?" + query if query else b"")
    address, port = scope["client"] or ("", 0)
    local: Any = scope["server"] or ("", 0)
    return HttpRequest(
        method=scope["method"],
        target=target.decode("latin-1"),
        path=scope["path"],
        fields=list(scope["headers"]),
        address=address,
        port=port,
        local=(str(local[0]), int(local[1] or 0)),
        seconds=seconds,
    )
