"""msys.httpsrv: functions of scripts which are asked by HTTP.

    local function hello(session)
      session:response_status_set_std(200, "hello", "text/plain")
    end
    function mod:rsrc_setup() msys.httpsrv.register("GET", "/hello", hello) return true end

The manual names two methods of a session. The others here are those of Momentum's functions in C,
under the same names: without them a script could not read what was sent.
"""

import re
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from angarium.modules.lua.api.core import Dict
from angarium.modules.lua.bind import (
    Function,
    LuaError,
    Runtime,
    Several,
    lua,
    lua_constants,
    lua_field,
    lua_object,
)
from angarium.modules.means import Means
from angarium.policy.endpoints import Request, Response, normal
from angarium.wire.channel import MOST_CONTENT, MOST_ENDPOINTS, HttpResponse

PACKAGE: Final = "msys.extended.httpsrv"
STANZA: Final = "httpsrv"
MOST_PATH: Final = 200  # octets
MOST_FIELDS: Final = 64
MOST_VALUE: Final = 2048  # octets of a field
MOST_PARAMETERS: Final = 1000
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_PATH: Final = re.compile(r"/[!-~]*")
_VALUE: Final = re.compile(rb"[\t -~\x80-\xff]*")
# Those of the connection, which is not the script's.
_OURS: Final = frozenset(
    {"connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_NO_CONTENT: Final = (204, 304)

lua_constants("msys.httpsrv", DONE=1)


@dataclass(frozen=True, slots=True)
class Registration:
    """A function and what it answers."""

    method: str
    path: str
    function: Function


@dataclass(slots=True)
class Registrations:
    """What the scripts of a worker have registered, in that order."""

    known: list[Registration] = field(default_factory=list)


def registrations(lua: Runtime) -> Registrations:
    return cast(Registrations, lua.services.parts.setdefault(Registrations, Registrations()))


@lua("msys.httpsrv.register", since="4.0")
def register(lua: Runtime, method: str | None, endpoint: str, function_name: Function) -> None:
    """Let a function answer the requests of a method, nil for all, at a path and below it.

    Of several which could answer, the first one registered does. It is called with the session and
    may wait; what it leaves unsaid is 200 with nothing. Register in rsrc_setup: with what is
    registered later a worker answers a second later, and for itself only.
    """
    means = lua.services.parts.get(Means)
    if isinstance(means, Means) and not means.configuration.has(STANZA):
        raise LuaError("an endpoint needs the stanza httpsrv, which is not in the configuration")
    wanted = "" if method is None else method.upper()
    if method is not None and not _TOKEN.fullmatch(wanted):
        raise LuaError(f"'{method}' is no method of HTTP")
    if len(endpoint) > MOST_PATH or not _PATH.fullmatch(endpoint) or set(endpoint) & set("?#"):
        raise LuaError(
            f"'{endpoint[:MOST_PATH]}' is no path: it begins with '/', has no '?' and no '#', and "
            f"{MOST_PATH} characters of ASCII at most"
        )
    known = registrations(lua).known
    path = normal(endpoint)
    if any((each.method, each.path) == (wanted, path) for each in known):
        shown = method or "any method"
        lua.panic(f"endpoint {shown} {endpoint} is registered already; the first one answers")
        return
    if len(known) >= MOST_ENDPOINTS:
        raise LuaError(f"no more than {MOST_ENDPOINTS} endpoints can be registered")
    known.append(Registration(wanted, path, function_name))


def _split(target: str) -> SplitResult:
    """Return the parts of a target. Raises ValueError."""
    if not target.startswith("/"):
        return urlsplit(target)
    # As mostly: a path, which may begin with "//" and names no host by that.
    rest, _, fragment = target.partition("#")
    path, _, query = rest.partition("?")
    return SplitResult("", "", path, query, fragment)


@lua_object("url", "ec_url_details")
class UrlDetails:
    """What a request line asks for, in its parts; what it does not have is nil."""

    def __init__(self, target: str) -> None:
        self.url = target
        self.parts = _split(target)
        pairs = parse_qsl(
            self.parts.query,
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=MOST_PARAMETERS,
        )
        self.attributes = Dict(dict(pairs)) if pairs else None


def _port(url: UrlDetails) -> int | None:
    try:
        return url.parts.port
    except ValueError:
        return None


lua_field("url.url", lambda url: url.url, doc="The target of the request, as it came.")
lua_field("url.scheme", lambda url: url.parts.scheme or None, doc="Where a whole URL was sent.")
lua_field("url.host", lambda url: url.parts.hostname, doc="Where a whole URL was sent.")
lua_field("url.port", _port, doc="Where a whole URL was sent.")
lua_field(
    "url.path",
    lambda url: unquote(url.parts.path, errors="surrogateescape"),
    doc="The path, what was in percent form decoded.",
)
lua_field("url.raw_query", lambda url: url.parts.query or None, doc="The query as it came.")
lua_field(
    "url.query",
    lambda url: unquote(url.parts.query, errors="surrogateescape") or None,
    doc="The query, what was in percent form decoded.",
)
lua_field("url.fragment", lambda url: url.parts.fragment or None, doc="What is behind a '#'.")
lua_field(
    "url.attrs",
    lambda url: url.attributes,
    doc="The parameters of the query, a dict; nil without any. Of equal names the last one counts.",
)


@lua_object("session", "ec_httpsrv_session")
class HttpSession:
    """A request, and the answer which is being made."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.status = 200
        self.fields: dict[str, bytes] = {}
        self.content = bytearray()

    def header(self, name: str) -> bytes | None:
        """Return a field of the request; of several the values, with commas between."""
        wanted = name.lower().encode("utf-8", "surrogateescape")
        values = [value for each, value in self.request.head.fields if each == wanted]
        return b", ".join(values) if values else None

    def response(self) -> Response:
        """Return the answer as it is by now."""
        fields = [(name.encode(), value) for name, value in self.fields.items()]
        content = b"" if self.status in _NO_CONTENT else bytes(self.content)
        return Response(HttpResponse(self.status, fields), content)


def _field(name: str, value: bytes) -> tuple[str, bytes]:
    """Return a field as it is sent. Raises LuaError."""
    if not _TOKEN.fullmatch(name):
        raise LuaError(f"'{name[:64]}' is no name of a header")
    if len(value) > MOST_VALUE or not _VALUE.fullmatch(value):
        raise LuaError(f"the value of '{name}' is no line of a header")
    if name.lower() in _OURS:
        raise LuaError(f"'{name}' is set by the server")
    return name.lower(), value.strip()


def _bounded(size: int) -> None:
    if size > MOST_CONTENT:
        raise LuaError(f"an answer has {MOST_CONTENT} octets at most")


@lua("session:request_url_get", package=PACKAGE, since="4.0")
def request_url_get(self: HttpSession) -> UrlDetails:
    """Return what was asked for, in its parts."""
    try:
        return UrlDetails(self.request.head.target)
    except ValueError as error:
        raise LuaError(f"the target of the request is no URL: {error}") from None


@lua("session:response_status_set_std", package=PACKAGE, since="4.0")
def response_status_set_std(
    self: HttpSession, code: int, message: bytes, mimetype: bytes = b"text/plain"
) -> None:
    """Set the whole answer: its status, its content, and of what type that is."""
    if not 200 <= code <= 599:
        raise LuaError(f"an answer has a status from 200 to 599, not {code}")
    _bounded(len(message))
    name, kind = _field("content-type", mimetype)
    self.status = code
    self.fields[name] = kind
    self.content = bytearray(message)


@lua("session:request_method_get", package=PACKAGE)
def request_method_get(self: HttpSession) -> str:
    """Return the method of the request, such as POST."""
    return self.request.head.method


@lua("session:request_header_get", package=PACKAGE)
def request_header_get(self: HttpSession, name: str) -> bytes | None:
    """Return a field of the header, in whatever case its name is written; nil without it."""
    return self.header(name)


@lua("session:request_content_type_get", package=PACKAGE)
def request_content_type_get(self: HttpSession) -> Several:
    """Return the type of the content and its charset; nil for what is not said."""
    value = self.header("content-type")
    if value is None:
        return Several(None, None)
    kind, *parameters = value.split(b";")
    for each in parameters:
        name, _, charset = each.partition(b"=")
        if name.strip().lower() == b"charset":
            return Several(kind.strip(), charset.strip().strip(b'"'))
    return Several(kind.strip(), None)


@lua("session:request_data_get_string", package=PACKAGE)
def request_data_get_string(self: HttpSession) -> bytes:
    """Return the content of the request."""
    return self.request.content


@lua("session:request_peer_address", package=PACKAGE)
def request_peer_address(self: HttpSession) -> str:
    """Return the address of the client; "" on a Unix socket."""
    return self.request.head.address


@lua("session:request_local_address", package=PACKAGE)
def request_local_address(self: HttpSession) -> str:
    """Return the address which the client has connected to; "" on a Unix socket."""
    return self.request.head.local[0]


@lua("session:response_header_set", package=PACKAGE)
def response_header_set(self: HttpSession, name: str, value: bytes) -> None:
    """Set a field of the answer's header, in the place of one of that name."""
    known, line = _field(name, value)
    if known not in self.fields and len(self.fields) >= MOST_FIELDS:
        raise LuaError(f"an answer has {MOST_FIELDS} fields at most")
    self.fields[known] = line


@lua("session:response_append", package=PACKAGE)
def response_append(self: HttpSession, buf: bytes) -> None:
    """Put something behind what the answer has by now."""
    _bounded(len(self.content) + len(buf))
    self.content += buf
