"""What stands between clients of HTTP and what answers them: bounds, and who may ask.

`Guarded` is the connection: so many at once, so much header, so much time for a request and for
its answer to be taken. `Gate` is the request: only GET and HEAD, no content, and a Host we know.
Rule: **a connection has one timer, and when that ends so does it**, whatever it is doing.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

MOST_CONNECTIONS: Final = 64  # of all listeners: a scraper, some people, and room for trouble
MOST_HEADER: Final = 16384  # octets of a request line and its fields
REQUEST_SECONDS: Final = 10.0  # for a request to come, and for its answer to be taken
IDLE_SECONDS: Final = 60.0  # between two requests, where idle_time says nothing
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 21\r\nconnection: close\r\n\r\n"
    b"too many connections\n"
)
_ALWAYS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Gate:
    """An application which refuses what should not come to the one behind it.

    Args:
        hosts: names we are called by, in lower case, without a port.
    """

    def __init__(self, app: App, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"nothing here answers {scope['type']}")
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, _added(send))
        else:
            await _refuse(_added(send), *refusal)

    def _refusal(self, scope: Scope) -> tuple[int, str, tuple[tuple[bytes, bytes], ...]] | None:
        close = ((b"connection", b"close"),)
        if scope["method"] not in ("GET", "HEAD"):
            return 405, "only GET and HEAD are answered", ((b"allow", b"GET, HEAD"), *close)
        fields: list[tuple[bytes, bytes]] = scope["headers"]
        content = [value for name, value in fields if name == b"content-length"]
        if any(value.strip(b"0") for value in content) or any(
            name == b"transfer-encoding" for name, _ in fields
        ):
            return 400, "a request here has no content", close
        named = [value.decode("latin-1") for name, value in fields if name == b"host"]
        if len(named) > 1 or not all(self._knows(host_of(each)) for each in named):
            return 421, "this server has another name; see the option http_hosts", close
        return None

    def _knows(self, host: str) -> bool:
        """Say whether a browser which calls us so cannot have been led here by others.

        Who calls us by an address asks no name server, so nobody can have given it another answer
        (DNS rebinding).
        """
        if host in self._hosts or host == "localhost" or host.endswith(".localhost"):
            return True
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return True


def host_of(field: str) -> str:
    """Return the host of a Host field, without port and brackets, in lower case."""
    text = field.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].removesuffix(".")


def _added(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_ALWAYS]
        await send(message)

    return sending


async def _refuse(
    send: Send, status: int, text: str, fields: tuple[tuple[bytes, bytes], ...]
) -> None:
    body = f"{text}\n".encode()
    length = (b"content-length", str(len(body)).encode())
    kind = (b"content-type", b"text/plain; charset=utf-8")
    start = {"type": "http.response.start", "status": status, "headers": [length, kind, *fields]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


class Guarded(H11Protocol):
    """A connection with bounds.

    Attributes:
        idle_seconds: between two requests.
    """

    idle_seconds = IDLE_SECONDS
    _end: asyncio.TimerHandle | None = None
    _asking = False  # something of a request has come

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= MOST_CONNECTIONS:
            transport.write(_FULL)
            transport.close()
            self.loop.call_later(1.0, transport.abort)
            self._refused = True
            return
        super().connection_made(transport)
        self._within(REQUEST_SECONDS)

    _refused = False

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if not self._asking:
            self._asking = True
            self._within(REQUEST_SECONDS)
        super().data_received(data)

    def on_response_complete(self) -> None:
        self._asking = False
        # What it has not taken yet of the answer it has to, meanwhile.
        self._within(self.idle_seconds)
        super().on_response_complete()
        if not self.cycle.response_complete:  # The next one had come with the one before.
            self._asking = True
            self._within(REQUEST_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._refused:
            return
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    def _within(self, seconds: float) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end = self.loop.call_later(seconds, self.transport.abort)


def connections(
    app: App, hosts: Collection[str], state: ServerState, idle_seconds: float
) -> Callable[[], asyncio.Protocol]:
    """Return what makes the protocol of a new connection.

    Args:
        state: shared by all listeners of the process, for what they have together.
    """
    idle = idle_seconds or IDLE_SECONDS
    config = uvicorn.Config(
        cast(Any, Gate(app, hosts)),
        http=Guarded,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=int(idle) + 1,
        h11_max_incomplete_event_size=MOST_HEADER,
    )
    config.load()
    # What clients do wrong is for them to know: each octet of theirs would be a line of our log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)

    def connection() -> asyncio.Protocol:
        made = Guarded(config=config, server_state=state, app_state={})
        made.idle_seconds = idle
        return made

    return connection
