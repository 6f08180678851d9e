"""A policy asks a datasource while a client waits; the example of it is run as it stands."""

import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from helpers.caller import Caller
from helpers.databases import asking, redis
from helpers.operators import operator
from helpers.world import World

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "datasources"


class Suppressing(World):
    """The server of the example, its ports and places being ours."""

    def configure(self, extra: str) -> None:
        text = (EXAMPLE / "ecelerity.conf").read_text("utf-8")
        text = text.replace("/tmp/datasources", str(self.folder)) + 'eventloop "pool" {'
        text = text.replace("127.0.0.1:2525", f"127.0.0.1:{self.port}")
        self.config.write_text(f"{text} concurrency = 1 }}\n{extra}", encoding="utf-8")
        script = (EXAMPLE / "suppression.py").read_text("utf-8")
        (self.folder / "suppression.py").write_text(script, encoding="utf-8")


@pytest.mark.slow
async def test_who_is_in_the_table_is_refused_and_it_is_asked_once(tmp_path: Path) -> None:
    path = tmp_path / "mail.db"
    with sqlite3.connect(path) as database:
        database.executescript((EXAMPLE / "mail.sql").read_text("utf-8"))
    database.close()
    async with Suppressing(tmp_path) as world, world.call() as caller:
        await caller.say("MAIL FROM:<news@example.com>")
        for _ in range(2):
            reply = await caller.say("RCPT TO:<Gone@example.com>")
            assert reply == "550 5.7.1 this address asked not to be written to"
        assert (await caller.say("RCPT TO:<here@example.com>")).startswith("250 ")
        await caller.say("RSET")

        async with operator(world.state) as admin:
            said = await admin.say("ds_core stats")
            assert "suppression: 2 statements, 0 failed" in said
            assert f"sqlite:{path}" in said
            assert "ds_core:suppression" in await admin.say("cache list")
            await admin.say("config set datasource suppression cache_size 5")
            assert " 5 ds_core:suppression" in await admin.say("cache list capacity")
            assert "flushed 2 entries" in await admin.say("ds_core flush suppression")

        # Without the database nobody is let through unasked, and nobody refused for good.
        with sqlite3.connect(path) as database:
            database.execute("DROP TABLE suppressed")
        database.close()
        await caller.say("MAIL FROM:<news@example.com>")
        assert (await caller.say("RCPT TO:<here@example.com>")).startswith("451 ")
        [panic] = await world.logged("paniclog", "no such table: suppressed")
        assert "datasource='suppression'" in panic


LOOK = """
require("msys.core")
require("msys.db")
require("msys.datasource")
local mod = {}

function mod:validate_rcptto(msg, address, accept, vctx)
  if vctx:get(msys.core.VCTX_MESS, "rcptto_domain") ~= "asked.test" then
    return msys.core.VALIDATE_CONT
  end
  local row = msys.db.fetch_row("closed", "GET $address", { address = address })
  if row then
    vctx:set_code(550, "5.7.1 " .. row[1])
    return msys.core.VALIDATE_DONE
  end
  return msys.core.VALIDATE_CONT
end

msys.registerModule("look", mod)
"""


@pytest.mark.peer
@pytest.mark.slow
async def test_a_database_which_hangs_holds_up_those_who_ask_it_and_nobody_else(
    tmp_path: Path,
) -> None:
    (tmp_path / "look.lua").write_text(LOOK)
    with redis() as server:
        config = f"""
            datasource "closed" {{
              uri = "{server.uri}" query_timeout = 2 connections = 2 no_cache = true
            }}
            scriptlet "scriptlet" {{ script "look" {{ source = "{tmp_path}/look" }} }}
        """
        async with asking(server.uri) as source:
            await source.execute("SET gone@asked.test $why", {"why": "the account is closed"})
        async with World(tmp_path, config) as world, AsyncExitStack() as stack:

            async def envelope() -> Caller:
                caller = await stack.enter_async_context(world.call())
                await caller.say("MAIL FROM:<a@sender.test>")
                return caller

            callers = [await envelope() for _ in range(20)]
            other = await envelope()
            refused = await callers[0].say("RCPT TO:<gone@asked.test>")
            assert refused == "550 5.7.1 the account is closed"
            assert (await callers[0].say("RCPT TO:<here@asked.test>")).startswith("250 ")

            with server.hanging():
                for number, each in enumerate(callers):
                    await each.put(b"RCPT TO:<%d@asked.test>\r\n" % number)
                assert (await other.say("RCPT TO:<b@other.test>")).startswith("250 ")
                replies = [await each.reply() for each in callers]
            assert {reply[:4] for reply in replies} == {"451 "}

            async def answered() -> bool:
                async with world.call() as caller:
                    await caller.say("MAIL FROM:<a@sender.test>")
                    reply = await caller.say("RCPT TO:<again@asked.test>")
                assert reply[:4] in ("250 ", "451 ")
                return reply.startswith("250 ")

            await world.eventually(answered, "it is asked again")
            async with operator(world.state) as admin:
                assert "redis:host=" in await admin.say("ds_core stats")
