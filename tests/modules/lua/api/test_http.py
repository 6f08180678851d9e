import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from angarium.modules.lua.api.http import Requests
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.services import Services
from angarium.net.dnscache import Resolver
from helpers.dns import FakeDns
from helpers.lua import services
from helpers.snippets import running, state


async def _echo(request: web.Request) -> web.Response:
    body = await request.read()
    shown = [request.method.encode(), request.headers.get("X-One", "").encode(), body]
    return web.Response(
        status=201, reason="Made", body=b"|".join(shown), headers={"X-Answer": "yes"}
    )


async def _elsewhere(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": request.query["to"]})


async def _slow(_request: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def _large(_request: web.Request) -> web.Response:
    return web.Response(body=b"x" * 17 * 1024 * 1024)


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_route("*", "/echo", _echo)
    app.router.add_get("/elsewhere", _elsewhere)
    app.router.add_get("/slow", _slow)
    app.router.add_get("/large", _large)
    made = TestServer(app, host="127.0.0.1")
    await made.start_server(shutdown_timeout=0.0)
    yield made
    await made.close()


@pytest.fixture
async def reached(server: TestServer) -> AsyncIterator[Services]:
    made = services()
    made.parts[Resolver] = FakeDns("web.example A 127.0.0.1")
    yield made
    requests = made.parts.get(Requests)
    if isinstance(requests, Requests):
        await requests.close()


async def test_a_request_is_made_and_its_answer_kept(server: TestServer, reached: Services) -> None:
    source = f"""
        local client = msys.http.client.new()
        client:set_header("X-One: 1")
        local ok, err = client:do_request("POST", "http://web.example:{server.port}/echo", "hello")
        local code, text = client:get_status()
        local headers = client:parse_headers(client:get_headers())
        client:set_header()
        client:do_request("get", "http://web.example:{server.port}/echo")
        return ok, err, code, text, headers["X-Answer"], client:get_body()
    """
    assert await running(source, state(reached)) == [True, None, 201, b"Made", b"yes", b"GET||"]


async def test_an_answer_nobody_gave_is_nil(reached: Services) -> None:
    source = """
        local client = msys.http.client.new()
        local ok, err = client:do_request("GET", "http://none.example/")
        local code, text = client:get_status()
        return ok, err, code, text, client:get_body(), #client:get_headers()
    """
    ok, error, code, text, body, headers = await running(source, state(reached))
    assert (ok, code, text, body, headers) == (None, None, None, None, 0)
    assert b"no such name" in error


async def test_a_request_which_takes_too_long_is_given_up(
    server: TestServer, reached: Services
) -> None:
    source = f"""
        local client = msys.http.client.new()
        client:set_timeout(0.05)
        local ok, err = client:do_request("GET", "http://127.0.0.1:{server.port}/slow")
        client:set_timeout()
        return ok, err
    """
    ok, error = await running(source, state(reached))
    assert ok is None
    assert b"did not answer in 0.05 s" in error


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/elsewhere?to=file:///etc/passwd", b"file:"),
        ("/elsewhere?to=ftp://web.example/", b"ftp:"),
        ("/elsewhere?to=/elsewhere%3Fto=/echo", b""),
        ("/large", b"more than"),
    ],
)
async def test_answers_are_bounded_and_lead_to_http_only(
    server: TestServer, reached: Services, path: str, said: bytes
) -> None:
    source = f"""
        local client = msys.http.client.new()
        local ok, err = client:do_request("GET", "http://127.0.0.1:{server.port}{path}")
        return ok == true, err or client:get_body()
    """
    ok, error = await running(source, state(reached))
    assert ok is (not said)
    assert said in error


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('do_request("GET", "file:///etc/passwd")', "no URL of HTTP"),
        ('do_request("GET", "http://[::1/")', "no URL"),
        ('do_request("GET", "")', "no URL"),
        ('do_request("BREW", "http://127.0.0.1/")', "not 'BREW'"),
        ('set_header("no colon")', "no header line"),
        ('set_header("A: b\\r\\nC: d")', "no header line"),
        ("set_timeout(-1)", "more than 0"),
    ],
)
async def test_what_is_no_request_is_told(call: str, said: str, reached: Services) -> None:
    source = f"""
        local client = msys.http.client.new()
        local ok, err = client:{call}
        error(err or "nothing")
    """
    with pytest.raises(ScriptError, match=said):
        await running(source, state(reached))


async def test_what_is_open_is_closed_when_scripts_are_stopped(
    server: TestServer, reached: Services
) -> None:
    source = f"""
        local client = msys.http.client.new()
        return client:do_request("GET", "http://127.0.0.1:{server.port}/echo")
    """
    assert await running(source, state(reached)) is True
    requests = reached.parts[Requests]
    assert isinstance(requests, Requests)
    requests.stop()
    assert requests._closing is not None
    await requests._closing
    assert await running(source, state(reached)) is True
