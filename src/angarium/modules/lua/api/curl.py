"""curl: requests of HTTP, set up option by option as with libcurl.

    local c = curl.new()
    c:setopt(curl.OPT_URL, "http://127.0.0.1:8080/")
    c:setopt(curl.OPT_WRITEFUNCTION, function(_, data) ...; return #data end)
    c:perform()

What libcurl has beyond HTTP, such as FTP, is refused when it is set. What only tunes libcurl is
taken and does nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit

from angarium.modules.lua.api.http import header_line, requests
from angarium.modules.lua.bind import LuaError, Runtime, Several, lua, lua_constants, lua_object

PIECE: Final = 16384  # octets a callback gets at once, as CURL_MAX_WRITE_SIZE
MOST_SENT: Final = 16 * 1024 * 1024  # octets of an upload

_CALLBACKS: Final = "READ WRITE HEADER PROGRESS IOCTL SEEK".split()
_LISTS: Final = (
    "HTTP200ALIASES HTTPHEADER HTTPPOST POSTQUOTE PREQUOTE QUOTE SOURCE_POSTQUOTE SOURCE_PREQUOTE"
    " SOURCE_QUOTE TELNETOPTIONS"
).split()
_STRINGS: Final = (
    "CAINFO CAPATH COOKIE COOKIEFILE COOKIEJAR CUSTOMREQUEST EGDSOCKET ENCODING FTPPORT FTP_ACCOUNT"
    " INTERFACE KRB4LEVEL NETRC_FILE POSTFIELDS PROXY PROXYUSERPWD RANDOM_FILE RANGE REFERER"
    " SOURCE_URL SOURCE_USERPWD SSLCERT SSLCERTTYPE SSLENGINE SSLKEY SSLKEYPASSWD SSLKEYTYPE"
    " SSL_CIPHER_LIST URL USERAGENT USERPWD WRITEINFO"
).split()
_NUMBERS: Final = (
    "BUFFERSIZE CLOSEPOLICY CONNECTTIMEOUT DNS_CACHE_TIMEOUT FTPSSLAUTH FTP_RESPONSE_TIMEOUT"
    " FTP_SSL HTTPAUTH HTTP_VERSION INFILESIZE INFILESIZE_LARGE IPRESOLVE LOW_SPEED_LIMIT"
    " LOW_SPEED_TIME MAXCONNECTS MAXFILESIZE MAXFILESIZE_LARGE MAXREDIRS NETRC PORT POSTFIELDSIZE"
    " POSTFIELDSIZE_LARGE PROXYAUTH PROXYPORT PROXYTYPE RESUME_FROM RESUME_FROM_LARGE SSLVERSION"
    " SSL_VERIFYHOST TIMECONDITION TIMEOUT TIMEVALUE"
).split()
_BOOLEANS: Final = (
    "AUTOREFERER COOKIESESSION CRLF DNS_USE_GLOBAL_CACHE FAILONERROR FILETIME FOLLOWLOCATION"
    " FORBID_REUSE FRESH_CONNECT FTPAPPEND FTPLISTONLY FTP_CREATE_MISSING_DIRS FTP_USE_EPRT"
    " FTP_USE_EPSV HEADER HTTPGET HTTPPROXYTUNNEL NOBODY NOPROGRESS NOSIGNAL POST PUT"
    " SSLENGINE_DEFAULT SSL_VERIFYPEER TCP_NODELAY TRANSFERTEXT UNRESTRICTED_AUTH UPLOAD VERBOSE"
).split()
# Other than HTTP, or what would take files of the server for a script's own.
REFUSED: Final = frozenset(
    "CAPATH COOKIEFILE COOKIEJAR CRLF EGDSOCKET FTPAPPEND FTPLISTONLY FTPPORT FTPSSLAUTH"
    " FTP_ACCOUNT FTP_CREATE_MISSING_DIRS FTP_RESPONSE_TIMEOUT FTP_SSL FTP_USE_EPRT FTP_USE_EPSV"
    " HTTP200ALIASES HTTPPOST INTERFACE KRB4LEVEL NETRC NETRC_FILE POSTQUOTE PREQUOTE QUOTE"
    " RANDOM_FILE RESUME_FROM RESUME_FROM_LARGE SOURCE_POSTQUOTE SOURCE_PREQUOTE SOURCE_QUOTE"
    " SOURCE_URL SOURCE_USERPWD SSLENGINE SSLENGINE_DEFAULT SSLKEYPASSWD SSL_CIPHER_LIST"
    " TELNETOPTIONS TIMECONDITION TRANSFERTEXT WRITEINFO".split()
)

NAMES: Final[Mapping[int, str]] = dict(
    enumerate(
        [
            *(f"{each}{part}" for each in _CALLBACKS for part in ("FUNCTION", "DATA")),
            *_LISTS,
            *_STRINGS,
            *_NUMBERS,
            *_BOOLEANS,
        ],
        1,
    )
)
lua_constants("curl", **{f"OPT_{name}": number for number, name in NAMES.items()})
lua_constants(
    "curl",
    HTTP_VERSION_NONE=0, HTTP_VERSION_1_0=1, HTTP_VERSION_1_1=2,
    HTTPAUTH_BASIC=1, AUTH_BASIC=1, PROXY_HTTP=0,
    IPRESOLVE_WHATEVER=0, IPRESOLVE_V4=1, IPRESOLVE_V6=2,
    SSLVERSION_DEFAULT=0,
)  # fmt: skip


@lua_object("c", "curl")
@dataclass(eq=False)
class Curl:
    """A request as it is being set up."""

    options: dict[str, object] = field(default_factory=dict)
    closed: bool = False

    def text(self, name: str) -> str:
        value = self.options.get(name, b"")
        return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else ""

    def number(self, name: str, default: float) -> float:
        value = self.options.get(name)
        return float(value) if isinstance(value, int | float) else default

    def flag(self, name: str, *, default: bool = False) -> bool:
        return bool(self.options.get(name, default))

    def check(self) -> None:
        if self.closed:
            raise LuaError("this object of curl is closed")


@lua("curl.new")
def new() -> Curl:
    """Make a request, to be set up with setopt."""
    return Curl()


@lua("curl.escape")
def escape(str_: bytes) -> str:
    """Return a text as it may stand in a URL."""
    return quote(str_, safe="")


@lua("curl.unescape")
def unescape(str_: bytes) -> bytes:
    """Return a text of a URL as it is."""
    return unquote_to_bytes(str_)


@lua("c:close")
def close(self: Curl) -> None:
    """Forget all; it cannot be used any more."""
    self.closed = True
    self.options.clear()


@lua("c:setopt")
def setopt(self: Curl, option: int, *value: object) -> None:
    """Set an option, one of curl.OPT_...; nil takes a string, a list or a function back."""
    self.check()
    name = NAMES.get(option)
    if name is None:
        raise LuaError(f"curl has no option {option}")
    if name in REFUSED:
        raise LuaError(f"curl.OPT_{name} is not supported: requests are of HTTP only")
    if name in _LISTS:
        given = [each for each in value if each is not None]
        if not all(isinstance(each, bytes) for each in given):
            raise LuaError(f"curl.OPT_{name} takes strings")
        self.options[name] = given
        return
    first = value[0] if value else None
    if first is None and (name in _NUMBERS or name in _BOOLEANS):
        raise LuaError(f"curl.OPT_{name} takes a {'number' if name in _NUMBERS else 'boolean'}")
    if first is None:
        self.options.pop(name, None)
        return
    self.options[name] = _checked(name, first)


def _checked(name: str, value: object) -> object:
    """Return a value of an option. Raises LuaError if it is of another kind."""
    if name in _STRINGS:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{value:.14g}".encode()
        good, kind = isinstance(value, bytes), "string"
    elif name in _NUMBERS:
        good, kind = isinstance(value, int | float) and not isinstance(value, bool), "number"
    elif name in _BOOLEANS:
        good, kind = isinstance(value, bool), "boolean"
    elif name.endswith("FUNCTION"):
        good, kind = hasattr(value, "now") and callable(value), "function"
    else:
        return value
    if not good:
        raise LuaError(f"curl.OPT_{name} takes a {kind}")
    return value


@lua("c:perform")
async def perform(lua: Runtime, self: Curl) -> Several:
    """Make the request; return true, or nil and the reason."""
    self.check()
    if not self.text("URL"):
        raise LuaError("curl.OPT_URL is not set")
    try:
        method, body = await _sent(self)
        response = await requests(lua).send(
            method, _url(self), headers=_headers(self), body=body, **_settings(self)
        )
        lines = [b"HTTP/1.1 %d %s\r\n" % (response.status, response.reason.encode())]
        lines += [b"%s: %s\r\n" % each for each in response.headers]
        for line in [*lines, b"\r\n"]:
            await _give(lua, self, "HEADER", line)
            if self.flag("HEADER"):
                await _give(lua, self, "WRITE", line)
        for at in range(0, len(response.body), PIECE):
            await _give(lua, self, "WRITE", response.body[at : at + PIECE])
            await _progress(self, len(response.body), at + PIECE)
    except LuaError as error:
        return Several(None, error.message)
    return Several(True)


async def _sent(self: Curl) -> tuple[str, bytes | None]:
    """Return the method, and what is sent."""
    body: bytes | None = None
    if self.flag("UPLOAD") or self.flag("PUT"):
        method, body = "PUT", await _read(self)
    elif "POSTFIELDS" in self.options or self.flag("POST"):
        method = "POST"
        fields = self.options.get("POSTFIELDS")
        body = fields if isinstance(fields, bytes) else await _read(self)
        size = int(self.number("POSTFIELDSIZE", self.number("POSTFIELDSIZE_LARGE", -1)))
        body = body[:size] if size >= 0 else body
    else:
        method = "HEAD" if self.flag("NOBODY") else "GET"
    return self.text("CUSTOMREQUEST") or method, body


async def _read(self: Curl) -> bytes:
    """Return what the script gives to be sent, piece by piece."""
    function = self.options.get("READFUNCTION")
    if function is None:
        return b""
    parts: list[bytes] = []
    size = 0
    while True:
        (piece, *_) = await function(self.options.get("READDATA", self), PIECE) or (None,)  # type: ignore[operator]
        if not isinstance(piece, bytes) or not piece:
            return b"".join(parts)
        size += len(piece)
        if size > MOST_SENT:
            raise LuaError(f"more than {MOST_SENT} octets to send")
        parts.append(piece)


def _url(self: Curl) -> str:
    url = self.text("URL")
    if "://" not in url:
        url = f"http://{url}"
    if port := int(self.number("PORT", 0)):
        try:
            parts = urlsplit(url)
            host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        except ValueError as error:
            raise LuaError(f"'{url}' is no URL: {error}") from error
        url = urlunsplit(parts._replace(netloc=f"{host}:{port}"))
    return url


def _headers(self: Curl) -> list[tuple[str, str]]:
    given = self.options.get("HTTPHEADER", [])
    lines = [each.decode("utf-8", "surrogateescape") for each in given]  # type: ignore[attr-defined]
    found = [header_line(line) for line in lines]
    named = {name.lower() for name, _ in found}
    for name, option in (
        ("User-Agent", "USERAGENT"), ("Referer", "REFERER"), ("Cookie", "COOKIE"),
        ("Accept-Encoding", "ENCODING"),
    ):  # fmt: skip
        if (value := self.text(option)) and name.lower() not in named:
            found.append(header_line(f"{name}: {value}"))
    if value := self.text("RANGE"):
        found.append(header_line(f"Range: bytes={value}"))
    posts = "POSTFIELDS" in self.options and "content-type" not in named
    if posts:
        found.append(("Content-Type", "application/x-www-form-urlencoded"))
    return found


def _settings(self: Curl) -> dict[str, object]:
    settings: dict[str, object] = {
        "failing": self.flag("FAILONERROR"),
        "redirects": int(self.number("MAXREDIRS", 10)) if self.flag("FOLLOWLOCATION") else 0,
        "verify": self.flag("SSL_VERIFYPEER", default=True)
        and self.number("SSL_VERIFYHOST", 2) > 0,
        "ca": self.text("CAINFO"),
        "certificate": self.text("SSLCERT"),
        "key": self.text("SSLKEY"),
        "user": _user(self.text("USERPWD")),
        "proxy_user": _user(self.text("PROXYUSERPWD")),
    }
    if (seconds := self.number("TIMEOUT", 0)) > 0:
        settings["seconds"] = seconds
    if (connecting := self.number("CONNECTTIMEOUT", 0)) > 0:
        settings["connect_seconds"] = connecting
    most = int(self.number("MAXFILESIZE", self.number("MAXFILESIZE_LARGE", 0)))
    if most > 0:
        settings["most"] = most
    if proxy := self.text("PROXY"):
        proxy = proxy if "://" in proxy else f"http://{proxy}"
        port = int(self.number("PROXYPORT", 0))
        settings["proxy"] = f"{proxy.rstrip('/')}:{port}" if port else proxy
    return settings


def _user(text: str) -> tuple[str, str] | None:
    name, colon, password = text.partition(":")
    return (name, password if colon else "") if text else None


async def _give(lua: Runtime, self: Curl, kind: str, octets: bytes) -> None:
    """Give what came to the script's function; without one, what is written is printed."""
    function = self.options.get(f"{kind}FUNCTION")
    if function is None:
        if kind == "WRITE":
            lua.services.show(octets.decode("utf-8", "replace"))
        return
    (taken, *_) = await function(self.options.get(f"{kind}DATA", self), octets) or (None,)  # type: ignore[operator]
    if isinstance(taken, int | float) and taken != len(octets):
        raise LuaError(
            f"the function for curl.OPT_{kind}FUNCTION took {taken:g} octets of {len(octets)}"
        )


async def _progress(self: Curl, total: int, now: int) -> None:
    function = self.options.get("PROGRESSFUNCTION")
    if function is None or self.flag("NOPROGRESS", default=True):
        return
    param = self.options.get("PROGRESSDATA", self)
    (told, *_) = await function(param, total, min(now, total), 0, 0) or (None,)  # type: ignore[operator]
    if isinstance(told, int | float) and told != 0:
        raise LuaError("the function for curl.OPT_PROGRESSFUNCTION has ended the request")
