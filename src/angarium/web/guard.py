"""What stands between clients of HTTP and what answers them: bounds, and who may ask.

`Guarded` is the connection: so many at once, so much header, so much time for a request and for
its answer to be taken. `Gate` is the request: of no more octets than the client may send, and for a
Host we know; and, but for the paths which `web/forward` takes, only GET and HEAD without content.
Rule: **a connection has one timer, and when that ends so does it**, whatever it is doing.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, cast

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from angarium.net.front import PROXIED
from angarium.web.asked import Asked
from angarium.web.rights import Rights, Visitor

MOST_CONNECTIONS: Final = 64  # of all listeners: a scraper, some people, and room for trouble
MOST_HEADER: Final = 16384  # octets of a request line and its fields
REQUEST_SECONDS: Final = 10.0  # for a request to come, and for its answer to be taken
IDLE_SECONDS: Final = 60.0  # between two requests, where idle_time says nothing
# In the state of a request.
MOST: Final = "most octets"
LONGER: Final = "longer"  # gives the request and its answer so many seconds from now
_STATUS: Final = "status"
_VISITOR: Final = "visitor"
_RIGHTS: Final = "rights"
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
Refused = tuple[int, str, tuple[tuple[bytes, bytes], ...]]  # status, text, fields


@dataclass(frozen=True, slots=True)
class Manners:
    """How one client is met.

    Attributes:
        local: the listening socket, as it is configured.
        idle_seconds: between two requests; 0: as long as `IDLE_SECONDS`.
        most_octets: of a request, its content counted as announced; 0: no limit.
        told: called with each request which was answered.
        rights: None: everybody may ask.
    """

    local: str = ""
    idle_seconds: float = 0.0
    most_octets: int = 0
    told: Callable[[Asked], None] | None = None
    rights: Rights | None = None


def _none(_path: str) -> bool:
    return False


class Gate:
    """An application which refuses what should not come to the one behind it.

    Args:
        hosts: names we are called by, in lower case, without a port.
        free: says whether a path may be asked by any method, and with a content.
        anyhow: says whether a path may be asked by any name of ours, and by anybody.
    """

    def __init__(
        self,
        app: App,
        hosts: Collection[str],
        free: Callable[[str], bool] = _none,
        anyhow: Callable[[str], bool] = _none,
    ) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._free = free
        self._anyhow = anyhow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"nothing here answers {scope['type']}")
        refusal = self._refusal(scope) or await self._unknown(scope)
        if refusal is None:
            await self._app(scope, receive, _added(scope, send))
        else:
            await _refuse(_added(scope, send), *refusal)

    async def _unknown(self, scope: Scope) -> Refused | None:
        """Return what is answered to who may not ask here."""
        rights: Rights | None = scope["state"][_RIGHTS]
        if rights is None or self._anyhow(scope["path"]):
            return None
        found = await rights.refusal(scope["state"][_VISITOR], scope["headers"])
        if found is None:
            return None
        # A content which nobody reads would be taken for the next request.
        close = ((b"connection", b"close"),) if _has_content(scope) else ()
        return found.status, found.text, (*found.fields, *close)

    def _refusal(self, scope: Scope) -> Refused | None:
        close = ((b"connection", b"close"),)
        free = self._free(scope["path"])
        if not free and scope["method"] not in ("GET", "HEAD"):
            return 405, "only GET and HEAD are answered", ((b"allow", b"GET, HEAD"), *close)
        fields: list[tuple[bytes, bytes]] = scope["headers"]
        most = scope["state"][MOST]
        if most and octets_of(scope) > most:
            return 413, f"a request has at most {most} octets here", close
        if _has_content(scope) and not free:
            return 400, "a request here has no content", close
        if self._anyhow(scope["path"]):
            return None
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


def _has_content(scope: Scope) -> bool:
    fields: list[tuple[bytes, bytes]] = scope["headers"]
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and bool(value.strip(b"0")))
        for name, value in fields
    )


def host_of(field: str) -> str:
    """Return the host of a Host field, without port and brackets, in lower case."""
    text = field.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].removesuffix(".")


def octets_of(scope: Scope) -> int:
    """Return how many octets a request has; a content counts as it is announced."""
    target = scope["raw_path"] + b"?" * bool(scope["query_string"]) + scope["query_string"]
    octets = len(f"{scope['method']}  HTTP/{scope['http_version']}\r\n\r\n") + len(target)
    for name, value in scope["headers"]:
        octets += len(name) + len(value) + len(b": \r\n")
        if name == b"content-length" and value.isdigit():
            octets += int(value[:18])
    return octets


def _added(scope: Scope, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            scope["state"][_STATUS] = message["status"]
            fields = list(message.get("headers", ()))
            named = {name for name, _ in fields}
            message["headers"] = [*fields, *(each for each in _ALWAYS if each[0] not in named)]
        await send(message)

    return sending


async def _refuse(
    send: Send, status: int, text: str, fields: tuple[tuple[bytes, bytes], ...]
) -> None:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    await answer(send, status, f"{text}\n".encode(), (kind, *fields))


async def answer(
    send: Send, status: int, body: bytes, fields: Iterable[tuple[bytes, bytes]]
) -> None:
    """Send an answer, with its length before it."""
    length = (b"content-length", str(len(body)).encode())
    start = {"type": "http.response.start", "status": status, "headers": [length, *fields]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


class Counted(asyncio.Transport):
    """A transport which counts what is written to it; it does what uvicorn asks of one."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self.octets = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.octets += len(data)
        self._transport.write(data)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "socket" and self._transport.get_extra_info(PROXIED) is not None:
            return default  # uvicorn would ask it who the client is, and get the proxy.
        return self._transport.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()


class Guarded(H11Protocol):
    """A connection with bounds.

    Attributes:
        manners_of: says by its address how a client is met.
    """

    manners_of: Callable[[str], Manners]
    _manners = Manners()
    _counted: Counted
    _end: asyncio.TimerHandle | None = None
    _asking = False  # something of a request has come
    _begun = 0.0  # when that was
    _written = 0  # octets before its answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= MOST_CONNECTIONS:
            transport.write(_FULL)
            transport.close()
            self.loop.call_later(1.0, transport.abort)
            self._refused = True
            return
        self._counted = Counted(transport)
        super().connection_made(self._counted)
        self._manners = self.manners_of(self.client[0] if self.client else "")
        # Ours comes first.
        self.timeout_keep_alive = int(self._manners.idle_seconds or IDLE_SECONDS) + 1
        self.app_state = {
            MOST: self._manners.most_octets, _STATUS: 0, LONGER: self._within,
            _VISITOR: visitor(transport, self.client[0] if self.client else ""),
            _RIGHTS: self._manners.rights,
        }  # fmt: skip
        self._within(REQUEST_SECONDS)

    _refused = False

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if not self._asking:
            self._begins()
        super().data_received(data)

    def on_response_complete(self) -> None:
        self._asking = False
        if self._manners.told is not None:
            self._manners.told(self._asked())
        # What it has not taken yet of the answer it has to, meanwhile.
        self._within(self._manners.idle_seconds or IDLE_SECONDS)
        super().on_response_complete()
        if not self.cycle.response_complete:  # The next one had come with the one before.
            self._begins()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request; as all answers in one piece, for who can read no chunks."""
        body = f"{msg}\n".encode()
        fields = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(status_code=400, headers=fields, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _begins(self) -> None:
        self._asking = True
        self._begun = self.loop.time()
        self._written = self._counted.octets
        self._within(REQUEST_SECONDS)

    def _asked(self) -> Asked:
        address, port = self.client or ("", 0)
        return Asked(
            address=address,
            port=port,
            local=self._manners.local,
            method=self.scope["method"],
            target=self.scope["raw_path"].decode("ascii"),
            version=self.scope["http_version"],
            status=self.scope["state"][_STATUS],
            octets=self._counted.octets - self._written,
            seconds=self.loop.time() - self._begun,
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if self._refused:
            return
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    def _within(self, seconds: float) -> None:
        if self._end is not None:
            self._end.cancel()
        if self.transport.is_closing():
            return
        self._end = self.loop.call_later(seconds, self.transport.abort)


def visitor(transport: asyncio.BaseTransport, address: str) -> Visitor:
    """Return who is at the other end of a connection, whose address is "" by a Unix socket."""
    secure = transport.get_extra_info("ssl_object") is not None
    near = not address or (
        transport.get_extra_info(PROXIED) is None and ipaddress.ip_address(address).is_loopback
    )
    return Visitor(
        address,
        verified=secure and transport.get_extra_info("verified_peer") is not None,
        private=secure or near,
    )


def connections(
    app: App,
    hosts: Collection[str],
    state: ServerState,
    manners_of: Callable[[str], Manners],
    free: Callable[[str], bool] = _none,
    anyhow: Callable[[str], bool] = _none,
) -> Callable[[], asyncio.Protocol]:
    """Return what makes the protocol of a new connection.

    Args:
        state: shared by all listeners of the process, for what they have together.
        manners_of: says by its address how a client is met.
        free: says whether a path may be asked by any method, and with a content.
        anyhow: says whether a path may be asked by any name of ours.
    """
    config = uvicorn.Config(
        cast(Any, Gate(app, hosts, free, anyhow)),
        http=Guarded,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=MOST_HEADER,
    )
    config.load()
    # What clients do wrong is for them to know: each octet of theirs would be a line of our log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)

    def connection() -> asyncio.Protocol:
        made = Guarded(config=config, server_state=state, app_state={})
        made.manners_of = manners_of
        return made

    return connection
