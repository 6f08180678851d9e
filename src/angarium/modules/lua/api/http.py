"""msys.http.client: requests of HTTP, one after the other.

local client = msys.http.client.new()
client:set_header("Content-Type: application/json")
client:do_request("POST", "http://127.0.0.1:8080/", body)
local code, text = client:get_status()
"""

import asyncio
import importlib
from typing import TYPE_CHECKING, Final, cast

from angarium.modules.lua.bind import LuaError, Runtime, Several, Table, lua, lua_object
from angarium.net.dnscache import Resolver

if TYPE_CHECKING:
    from angarium.modules.lua.fetch import Fetcher, Request, Response

METHODS: Final = ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS")


class Requests:
    """Where requests are made; what they need is loaded with the first one."""

    def __init__(self, resolver: Resolver | None) -> None:
        self._resolver = resolver
        self._fetcher: Fetcher | None = None
        self._closing: asyncio.Task[None] | None = None

    async def send(self, method: str, url: str, **settings: object) -> "Response":
        """Make a request; the settings are those of `fetch.Request`. Raises LuaError."""
        fetch = importlib.import_module("angarium.modules.lua.fetch")
        if self._fetcher is None:
            self._fetcher = cast("Fetcher", fetch.Fetcher(self._resolver))
        request: Request = fetch.Request(method, url, **settings)
        try:
            return await self._fetcher.fetch(request)
        except fetch.FetchError as error:
            raise LuaError(error.message) from error

    def stop(self) -> None:
        """Close what is open, soon; nobody waits for it."""
        if self._fetcher is not None:
            self._closing = asyncio.get_running_loop().create_task(self.close())

    async def close(self) -> None:
        fetcher, self._fetcher = self._fetcher, None
        if fetcher is not None:
            await fetcher.close()


def requests(lua: Runtime) -> Requests:
    """Return where the scripts of a worker make requests."""
    parts = lua.services.parts
    found = parts.get(Requests)
    if found is None:
        found = parts[Requests] = Requests(cast(Resolver | None, parts.get(Resolver)))
    return cast(Requests, found)


def header_line(line: str) -> tuple[str, str]:
    """Return name and value of a line. Raises LuaError if it is none."""
    name, colon, value = line.strip("\r\n").partition(":")
    name = name.strip()
    if not colon or not name.isascii() or not name or any(each in line for each in "\r\n\0"):
        raise LuaError(f"'{line}' is no header line, 'Name: value'")
    return name, value.strip()


@lua_object("client", "http_client")
class Client:
    """Makes requests, and keeps the last answer."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self.seconds: float | None = None
        self.answer: Response | None = None


@lua("msys.http.client.new", since="3.5")
def new() -> Client:
    """Make a client."""
    return Client()


@lua("client:set_header", since="3.5")
def set_header(self: Client, header: str | None = None) -> None:
    """Add a header line to all requests from now on; without one, forget those there are."""
    if header is None:
        self.headers.clear()
    else:
        self.headers.append(header_line(header))


@lua("client:set_timeout", since="3.5")
def set_timeout(self: Client, number: float | None = None) -> None:
    """Set how many seconds a request may take in all; without a number, the default of 60."""
    if number is not None and number <= 0:
        raise LuaError("a time is more than 0")
    self.seconds = number


@lua("client:do_request", since="3.5")
async def do_request(
    lua: Runtime, self: Client, type_: str, url: str, data: bytes | None = None
) -> Several:
    """Make a request; return true, or nil and the reason if it came to nothing.

    An answer of any status is no failure; see get_status.
    """
    method = type_.upper()
    if method not in METHODS:
        raise LuaError(f"a request is one of {', '.join(METHODS)}, not '{type_}'")
    self.answer = None
    settings: dict[str, object] = {"headers": list(self.headers), "body": data}
    if self.seconds is not None:
        settings["seconds"] = self.seconds
    try:
        self.answer = await requests(lua).send(method, url, **settings)
    except LuaError as error:
        return Several(None, error.message)
    return Several(True)


@lua("client:get_status", since="3.5")
def get_status(self: Client) -> Several:
    """Return code and text of the last answer, nil without one."""
    if self.answer is None:
        return Several(None, None)
    return Several(self.answer.status, self.answer.reason)


@lua("client:get_body", since="3.5")
def get_body(self: Client) -> bytes | None:
    """Return the body of the last answer, nil without one."""
    return None if self.answer is None else self.answer.body


@lua("client:get_headers", since="3.5")
def get_headers(self: Client) -> list[bytes]:
    """Return the header lines of the last answer, as they came."""
    answer = self.answer
    return [b"%s: %s" % field for field in answer.headers] if answer else []


@lua("client:parse_headers", since="3.5")
def parse_headers(self: Client, headers: Table) -> dict[bytes, bytes]:
    """Return header lines as a table of names and values; of equal names the last one counts."""
    found: dict[bytes, bytes] = {}
    for line in headers.array():
        if isinstance(line, bytes) and b":" in line:
            name, _, value = line.partition(b":")
            found[name.strip()] = value.strip()
    return found
