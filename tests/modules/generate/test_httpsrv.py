"""httpsrv: what a worker does about a request for an endpoint."""

from pathlib import Path

import pytest

from angarium.config.load import load_text
from angarium.modules.generate.httpsrv import HttpServer
from angarium.policy.endpoints import Request, Response
from angarium.run.policing import guard_of
from angarium.wire.channel import HttpRequest
from helpers.guards import Place

SCRIPT = """
local mod = {}
function mod:rsrc_setup()
  msys.httpsrv.register("GET", "/well", function(session)
    session:response_status_set_std(203, "yes")
  end)
  msys.httpsrv.register("GET", "/faulty", function() error("on purpose") end)
  msys.httpsrv.register(nil, "/slow", function() msys.sleep(1000) end)
  return true
end
msys.registerModule("mine", mod)
"""


def place(folder: Path, stanza: str) -> Place:
    file = folder / "mine.lua"
    file.write_text(SCRIPT)
    text = f'{stanza}\nscriptlet "s" {{ script "mine" {{ source = "{file}" }} }}'
    made = Place(folder, text)
    guard = guard_of(load_text(text), lambda module, line: made.panics.append((module, line)))
    made.module(HttpServer)._guard = guard
    return made


async def asked(place: Place, path: str) -> Response:
    policing = place.policing
    server = policing.server
    assert server is not None
    [endpoint] = [each for each in policing.endpoints if each.path == path]
    head = HttpRequest("GET", path, path, [], "192.0.2.1", 1, ("192.0.2.2", 80), 9.0)
    return await server.serve(endpoint, Request(head))


@pytest.mark.effect("httpsrv.enabled")
async def test_endpoints_are_asked_where_it_is_on(tmp_path: Path) -> None:
    on = place(tmp_path, "httpsrv { }").policing
    assert [(each.method, each.path) for each in on.endpoints] == [
        ("GET", "/well"),
        ("GET", "/faulty"),
        ("", "/slow"),
    ]
    off = place(tmp_path, "httpsrv { enabled = false }").policing
    assert (off.server, off.endpoints) == (None, [])


@pytest.mark.effect("httpsrv.debug_level")
async def test_requests_are_told_to_who_wants_to_know(tmp_path: Path) -> None:
    quiet = place(tmp_path, "httpsrv { }")
    assert (await asked(quiet, "/well")).content == b"yes"
    assert quiet.panics == []
    loud = place(tmp_path, "httpsrv { debug_level = DEBUG }")
    await asked(loud, "/well")
    [(stanza, line)] = loud.panics
    assert (stanza, line.rsplit(" ", 2)[0]) == ("httpsrv", "192.0.2.1 GET /well 203")


async def test_what_fails_is_told_and_answered_with_nothing_of_it(tmp_path: Path) -> None:
    here = place(tmp_path, "httpsrv { }")
    response = await asked(here, "/faulty")
    assert (response.head.status, response.content) == (500, b"the endpoint failed\n")
    [(_, line)] = here.panics
    assert line.startswith("endpoint GET /faulty: ")
    assert line.endswith("/mine.lua:7: on purpose")  # LuaJIT shortens a long path in front


async def test_what_waits_too_long_is_ended(tmp_path: Path) -> None:
    here = place(tmp_path, "policy_wait_limit = 1\nhttpsrv { }")
    assert (await asked(here, "/slow")).head.status == 500
    [(_, line)] = here.panics
    assert line.endswith("it waited longer than policy_wait_limit allows")
