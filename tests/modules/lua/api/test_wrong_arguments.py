"""Whatever a script gives to a function, it hears an error of Lua, and we have no fault of ours."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.modules.lua.api.dns import OtherServers
from angarium.modules.lua.api.http import Requests
from angarium.modules.lua.api.httpsrv import HttpSession
from angarium.modules.lua.declare import FUNCTIONS, OBJECTS
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.net.dnscache import Resolver
from angarium.policy.context import Session
from angarium.policy.endpoints import Request
from angarium.policy.hooks import Data
from angarium.policy.mail import Mail
from angarium.policy.shared.node import Shared
from angarium.wire.channel import HttpRequest
from helpers.clock import FakeClock
from helpers.dns import FakeDns
from helpers.lua import services
from helpers.snippets import state

# Chunks of Lua, each a value.
VALUES = [
    "nil", "true", "false", "-1", "0", "1", "3", "1e308", "-1e308", "0/0", "1/0", "2^53", "0.5",
    '""', '"x"', '"\\255\\0"', '"1"', '"a@b.example"', '"192.0.2.1"', '"/24"', '"GET"', '"empty"',
    '"%{rfc2822:body,99999999999}%{p}"', '"("', '"http://127.0.0.1:1/"', '"utf-16"',
    'string.rep("a", 70000)', "{}", "{ 1, 2 }", '{ a = {} }', '{ type = "empty" }', "loop",
    '{ ["content-type"] = "\\255" }', "print", "function() error({}) end", "json.new()", "msg",
    "vctx", "ac", "text", "web",
]  # fmt: skip
HEAD = """
local msg, vctx, ac, web = ...
local text = msys.core.string_new()
local loop = {}; loop.loop = loop
"""
# How an object is had, for its methods.
SELVES = {
    "ac": "ac", "vctx": "vctx", "msg": "msg", "string": "text", "json": "json.new()",
    "doc": 'xml.parsexml("<a>t<b/></a>")', "node": 'xml.parsexml("<a>t<b/></a>"):root()',
    "nodes": 'xml.parsexml("<a>t<b/></a>"):root():children()', "client": "msys.http.client.new()",
    "c": "curl.new()", "msgpart": "msg:mime(false)", "mutex": "thread.mutex()",
    "io": 'msys.core.io_wrapper_open("file", 66, 384)',
    "timer": "msys.timer.after(1000, print)", "mc":
    "msys.core.accept_construct_get_message_construct(ac)",
    "session": "web",
    "domain_record": 'msys.core.dns_get_domain("a.example")',
}  # fmt: skip
SRC = str(Path(sys.modules["angarium"].__path__[0]))
# They wait as long as they are told to.
WAITING = {"msys.sleep", "msys.lock", "mutex:lock"}
NAMES = [
    name
    for name in FUNCTIONS
    if FUNCTIONS.place(name).file.startswith(SRC)
    and name not in WAITING
    and (not FUNCTIONS[name].is_method or FUNCTIONS[name].tag in SELVES)
]
EACH = 25


class World:
    def __init__(self, panics: list[str]) -> None:
        clock = FakeClock()
        made = services(clock=clock, panic=panics.append)
        made.parts[Resolver] = FakeDns("a.example A 192.0.2.1")
        made.parts[Shared] = Shared(clock)
        self.services = made
        self.lua: State = state(made)

    def arguments(self) -> list[object]:
        session = Session(peer=("192.0.2.1", 25))
        message = Message("a@b.example", MemoryBody(b"\r\nbody\r\n"), header=b"Subject: hi\r\n")
        mail = Mail(message, [Recipient("c@d.example", "d.example")], session)
        session.mail = mail
        self.lua.situation = Data(mail, session)
        head = HttpRequest("GET", "/a?b=c", "/a", [], "", 0, ("", 0), 1.0)
        web = HttpSession(Request(head, b"content"))
        return [self.lua.to_lua(each) for each in (mail, session, session, web)]

    async def call(self, source: str) -> None:
        function = self.lua.load(source.encode(), "t")
        try:
            async with asyncio.timeout(0.2):
                await self.lua.run(function, *self.arguments())
        except (ScriptError, TimeoutError):
            pass

    async def close(self) -> None:
        others: Any = self.services.parts.get(OtherServers)
        if others is not None:
            others.stop()
        requests: Any = self.services.parts.get(Requests)
        if requests is not None:
            await requests.close()


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.chdir(tmp_path)
    panics: list[str] = []
    made = World(panics)
    yield made
    await made.close()
    assert [text for text in panics if "Traceback" in text] == []


@pytest.mark.parametrize("part", range(4))
async def test_no_argument_is_a_fault_of_ours(world: World, part: int) -> None:
    for name in NAMES[part::4]:
        source = random.Random(name)  # the same whatever else there is
        declared = FUNCTIONS[name]
        count = len(declared.parameters) + 1
        for _ in range(EACH):
            given = ", ".join(source.choice(VALUES) for _ in range(source.randrange(count + 1)))
            if declared.is_method:
                tag, _, method = name.partition(":")
                if method.startswith("__"):
                    call = f"local o = {SELVES[tag]}; return tostring(o)"
                else:
                    call = f"local o = {SELVES[tag]}; return o:{method}({given})"
            else:
                call = f"return {name}({given})"
            await world.call(HEAD + call)


async def test_an_object_where_a_table_may_be_is_an_error(world: World) -> None:
    await world.call(HEAD + "return xml.parsexml('<a/>'):xpath('b', msg)")


def test_every_kind_of_object_is_tried() -> None:
    with_methods = {each.tag for each in FUNCTIONS.values() if each.is_method}
    ours = {tag for tag in OBJECTS if OBJECTS.place(tag).file.startswith(SRC)}
    untried = (with_methods & ours) - set(SELVES)
    # Those are had by another object only, and have no methods but to be called.
    assert untried <= {"lines", "list", "rows", "dict", "counter"}, untried


async def test_an_error_leaves_nothing_that_outlives_its_coroutine(world: World) -> None:
    # A handle on a table, freed after the coroutine it came from, was a segmentation fault.
    for number in range(300):
        await world.call("return msys.audit_series.define({ a = {} }, 3, 1/0, loop, print)")
        await world.call(HEAD + "return msys.audit.receptions(json.new(), { loop, {} })")
        if number % 50 == 0:
            await world.call("collectgarbage()")
