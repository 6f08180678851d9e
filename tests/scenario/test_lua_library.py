"""The libraries of Lua in a whole server: names, lists, the web, the console, the queues."""

import asyncio
import json
from pathlib import Path

import pytest

from helpers.operators import operator
from helpers.world import World

pytestmark = pytest.mark.slow

ZONE = """
a.test                    MX   10 mx.a.test
mx.a.test                 A    127.0.0.1
held.test                 MX   10 mx.a.test
web.test                  A    127.0.0.1
1.0.0.127.in-addr.arpa    PTR  peer.test
peer.test                 A    127.0.0.1
"""
POLICY = """
require("json"); require("msys.core"); require("msys.cidr"); require("msys.http.client")
require("msys.pcre"); require("msys.pbp"); require("msys.extended.message")

local mod = {}

function mod:init()
  msys.cidr.define("bad", { type = "rbldnsd", source = "FOLDER/bad", value = "txt" })
  return true
end

local function held(cc)
  if cc.argc < 2 then print("which domain?") return end
  local dr = msys.core.dns_get_domain(cc.argv[1])
  msys.core.mail_queue_delay_domain(dr, "451 4.4.1 [internal] held by hand")
  print(cc.argv[1], "is held")
end

function mod:rsrc_setup()
  msys.registerControl("hold domain", held)
  return true
end

function mod:validate_connect(ac, vctx)
  msys.pbp.fcdns_check(ac, vctx)
  return msys.core.VALIDATE_CONT
end

function mod:validate_rcptto(msg, str, ac, vctx)
  local found = msys.pcre.match(tostring(str), "^<?(?P<user>[^@]+)@")
  if found and found.user == "listed" then
    vctx:set_code(550, "5.7.1 " .. msys.cidr.query("bad", "192.0.2.1"))
    return msys.core.VALIDATE_DONE
  end
  return msys.core.VALIDATE_CONT
end

function mod:validate_data_spool(msg, ac, vctx)
  local client = msys.http.client.new()
  assert(client:do_request("POST", "http://web.test:WEB/", tostring(json.encode({ "x" }))))
  local said = json.decode(client:get_body())
  local mx = msys.dnsLookup("a.test", "MX", { priority = true })
  local text = msys.expandMacro("%{spfv1:p} %{vctx_conn:fcdns_status} %{s}")
  msg:header("X-Library", said.answer .. " " .. mx[1][2] .. " " .. text)
  return msys.core.VALIDATE_CONT
end

msys.registerModule("library", mod)
"""


class Listening:
    """A web server of one answer."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[bytes] = []

    async def __aenter__(self) -> "Listening":
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        self.asked.append(await reader.readexactly(length))
        body = json.dumps({"answer": "yes"}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                     % (len(body), body))  # fmt: skip
        await writer.drain()
        writer.close()
        await writer.wait_closed()


async def test_libraries_work_while_clients_wait(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("192.0.2.0/24:127.0.0.2:we know you\n")
    async with Listening() as web:
        script = tmp_path / "library.lua"
        text = POLICY.replace("FOLDER", str(tmp_path)).replace("WEB", str(web.port))
        script.write_text(text)
        extra = f"""
            scriptlet "scriptlet" {{ script "library" {{ source = "{script}" }} }}
            domain "held.test" {{ suspend_delivery = true }}
        """
        async with World(tmp_path, extra, ZONE) as world:
            async with world.call() as caller:
                await caller.say("MAIL FROM:<me@home.test>")
                reply = await caller.say("RCPT TO:<listed@a.test>")
                assert reply == "550 5.7.1 we know you"
            await world.send("me@home.test", ["you@a.test"], b"Subject: hi\r\n\r\nhello\r\n")
            [mail] = await world.delivered(1)
            assert b"X-Library: yes mx.a.test peer.test true me@home.test\r\n" in mail.content
            assert web.asked == [b'[ "x" ]']

            await world.send("me@home.test", ["x@held.test"], b"Subject: hi\r\n\r\nhello\r\n")
            async with operator(world.state) as admin:
                assert await admin.say("hold domain") == "which domain?"
                assert await admin.say("hold domain held.test") == "held.test\tis held"
                assert "no such command" in await admin.fails("hold nothing")
            [line] = await world.logged("mainlog", r"held by hand")
            assert "held.test" in line
