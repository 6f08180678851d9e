from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from angarium.modules.lua.api.http import Requests
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.services import Services
from helpers.lua import services
from helpers.snippets import run, running, state

shown: list[str] = []


async def _echo(request: web.Request) -> web.Response:
    body = (await request.read()).decode()
    told = [request.method, request.headers.get("User-Agent", ""), request.query_string, body]
    told.append(request.headers.get("Authorization", "-"))
    told.append(request.headers.get("Content-Type", "-"))
    return web.Response(text="|".join(told))


async def _missing(_request: web.Request) -> web.Response:
    return web.Response(status=404, text="no")


async def _elsewhere(_request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/echo"}, text="moved")


async def _long(_request: web.Request) -> web.Response:
    return web.Response(text="y" * 40_000)


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_route("*", "/echo", _echo)
    app.router.add_get("/missing", _missing)
    app.router.add_get("/elsewhere", _elsewhere)
    app.router.add_get("/long", _long)
    made = TestServer(app, host="127.0.0.1")
    await made.start_server(shutdown_timeout=0.0)
    yield made
    await made.close()


@pytest.fixture
async def reached() -> AsyncIterator[Services]:
    shown.clear()
    made = services(show=shown.append)
    yield made
    requests = made.parts.get(Requests)
    if isinstance(requests, Requests):
        await requests.close()


def _setup(server: TestServer, path: str = "/echo") -> str:
    return f"""
        local c, got = curl.new(), {{}}
        c:setopt(curl.OPT_URL, "http://127.0.0.1:{server.port}{path}")
        c:setopt(curl.OPT_USERAGENT, "test")
        c:setopt(curl.OPT_WRITEFUNCTION, function(_, data) got[#got + 1] = data; return #data end)
    """


async def test_a_page_is_given_to_a_function_piece_by_piece(
    server: TestServer, reached: Services
) -> None:
    source = _setup(server, "/long") + "local ok, err = c:perform(); return ok, err, #got, #got[1]"
    assert await running(source, state(reached)) == [True, None, 3, 16384]


async def test_without_a_function_it_is_printed(server: TestServer, reached: Services) -> None:
    source = _setup(server) + "c:setopt(curl.OPT_WRITEFUNCTION, nil); return c:perform()"
    assert await running(source, state(reached)) is True
    assert shown == ["GET|test|||-|-"]


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ('c:setopt(curl.OPT_POSTFIELDS, "a=1")',
         b"POST|test||a=1|-|application/x-www-form-urlencoded"),
        ('c:setopt(curl.OPT_POSTFIELDS, "abcd"); c:setopt(curl.OPT_POSTFIELDSIZE, 2)'
         '; c:setopt(curl.OPT_HTTPHEADER, "Content-Type: a/b", "X-Y: z")',
         b"POST|test||ab|-|a/b"),
        ('c:setopt(curl.OPT_CUSTOMREQUEST, "PATCH")', b"PATCH|test|||-|-"),
        ('c:setopt(curl.OPT_USERPWD, "u:p")', b"GET|test|||Basic dTpw|-"),
        ('c:setopt(curl.OPT_HTTPHEADER, "User-Agent: own"); c:setopt(curl.OPT_NOSIGNAL, true)',
         b"GET|own|||-|-"),
        ('c:setopt(curl.OPT_HTTPHEADER, "X: y"); c:setopt(curl.OPT_HTTPHEADER, nil)',
         b"GET|test|||-|-"),
        ("c:setopt(curl.OPT_HTTP_VERSION, 1.1); c:setopt(curl.OPT_TIMEOUT, 30)",
         b"GET|test|||-|-"),
    ],
)  # fmt: skip
async def test_options_make_the_request(
    server: TestServer, reached: Services, options: str, answer: bytes
) -> None:
    source = _setup(server) + f"{options}; assert(c:perform()); return table.concat(got)"
    assert await running(source, state(reached)) == answer


async def test_what_is_sent_may_come_from_a_function(server: TestServer, reached: Services) -> None:
    source = (
        _setup(server)
        + """
        local left = { "one", "two" }
        c:setopt(curl.OPT_UPLOAD, true)
        c:setopt(curl.OPT_HTTPHEADER, "Content-Type: a/b")
        c:setopt(curl.OPT_READDATA, left)
        c:setopt(curl.OPT_READFUNCTION, function(data, size) return table.remove(data, 1) end)
        assert(c:perform())
        return table.concat(got)
    """
    )
    assert await running(source, state(reached)) == b"PUT|test||onetwo|-|a/b"


async def test_header_lines_are_given_to_their_function(
    server: TestServer, reached: Services
) -> None:
    source = (
        _setup(server, "/missing")
        + """
        local lines = {}
        c:setopt(curl.OPT_HEADERFUNCTION, function(to, line) to[#to + 1] = line end)
        c:setopt(curl.OPT_HEADERDATA, lines)
        c:setopt(curl.OPT_HEADER, true)
        assert(c:perform())
        return lines[1], lines[#lines], got[1], got[#got]
    """
    )
    assert await running(source, state(reached)) == [
        b"HTTP/1.1 404 Not Found\r\n", b"\r\n", b"HTTP/1.1 404 Not Found\r\n", b"no",
    ]  # fmt: skip


async def test_redirects_are_followed_when_asked_for(server: TestServer, reached: Services) -> None:
    source = (
        _setup(server, "/elsewhere")
        + """
        assert(c:perform())
        c:setopt(curl.OPT_FOLLOWLOCATION, true)
        assert(c:perform())
        return got[1], got[2]
    """
    )
    assert await running(source, state(reached)) == [b"moved", b"GET|test|||-|-"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('c:setopt(curl.OPT_FAILONERROR, true)', b"answers 404"),
        ("c:setopt(curl.OPT_WRITEFUNCTION, function() return 1 end)", b"took 1 octets of 2"),
        ("c:setopt(curl.OPT_NOPROGRESS, false)"
         "; c:setopt(curl.OPT_PROGRESSFUNCTION, function() return 1 end)", b"has ended"),
        ("c:setopt(curl.OPT_MAXFILESIZE, 1)", b"more than 1 octets"),
        ('c:setopt(curl.OPT_PROXY, "127.0.0.1"); c:setopt(curl.OPT_PROXYPORT, 1)', b"127.0.0.1:1"),
        ('c:setopt(curl.OPT_URL, "127.0.0.1/"); c:setopt(curl.OPT_PORT, 1)', b"127.0.0.1:1"),
    ],
)  # fmt: skip
async def test_a_request_which_fails_returns_the_reason(
    server: TestServer, reached: Services, options: str, said: bytes
) -> None:
    source = _setup(server, "/missing") + f"{options}; return c:perform()"
    ok, error = await running(source, state(reached))
    assert ok is None
    assert said in error


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("c:setopt(curl.OPT_FTPPORT, 'x')", "OPT_FTPPORT is not supported"),
        ("c:setopt(curl.OPT_POST, 1)", "OPT_POST takes a boolean"),
        ("c:setopt(curl.OPT_TIMEOUT, 'x')", "OPT_TIMEOUT takes a number"),
        ("c:setopt(curl.OPT_URL, {})", "OPT_URL takes a string"),
        ("c:setopt(curl.OPT_WRITEFUNCTION, 'x')", "OPT_WRITEFUNCTION takes a function"),
        ("c:setopt(curl.OPT_HTTPHEADER, 1)", "OPT_HTTPHEADER takes strings"),
        ("c:setopt(9999, 1)", "no option 9999"),
        ("c:perform()", "OPT_URL is not set"),
        ("c:close(); c:perform()", "is closed"),
    ],
)
async def test_what_cannot_be_set_is_an_error(call: str, said: str) -> None:
    with pytest.raises(ScriptError, match=said):
        await running(f"local c = curl.new(); {call}", state())


def test_texts_are_made_fit_for_a_url_and_back() -> None:
    assert run('return curl.escape("abcd$%^&*()")') == b"abcd%24%25%5E%26%2A%28%29"
    assert run('return curl.unescape("a%20b%00%zz+")') == b"a b\0%zz+"
