"""Policy in Lua on a real server: whatever a script does, it harms its own session only."""

import asyncio
import signal
from pathlib import Path
from typing import Final

import pytest

from helpers.world import World

pytestmark = pytest.mark.slow

ZONE: Final = """
* A 127.0.0.1
*.silent.test TIMEOUT
"""
CONFIG: Final = """
scriptlet "scriptlet" {
  time_limit = 1
  memory_limit = "24M"
  script "p" { source = "p" }
}
"""
# What a script is to do stands in what a client says.
SCRIPT: Final = """
require("msys.core"); require("msys.extended.message"); require("msys.extended.vctx")
local mod = {}
local hoard = {}

local function fails(hook, said)
  if string.find(said, "fail-" .. hook, 1, true) then
    local nothing
    return nothing.wanted
  end
end

function mod:validate_ehlo(str, ac, vctx)
  fails("ehlo", str)
  return msys.core.VALIDATE_CONT
end

function mod:validate_mailfrom(str, ac, vctx)
  fails("mailfrom", str)
  return msys.core.VALIDATE_CONT
end

local odd = {
  loop = function() while true do pcall(function() while true do end end) end end,
  hog = function() while true do hoard[#hoard + 1] = string.rep("x", 100000) .. #hoard end end,
  ["nil"] = function(vctx) vctx:set(msys.core.VCTX_CONN, nil, nil) end,
  kind = function(vctx) vctx:set_code({}, mod) end,
  huge = function(vctx) vctx:set_code(550, string.rep("y", 10000000)) end,
  deep = function(vctx) local function f() return 1 + f() end return f() end,
  wait = function() msys.dnsLookup(msys.expandMacro("%{vctx_conn:ehlo_domain}"), "A") end,
}

function mod:validate_rcptto(msg, str, ac, vctx)
  fails("rcptto", tostring(str))
  local act = odd[string.match(msg:rcptto(), "^(.-)@")]
  if act then act(vctx) end
  return msys.core.VALIDATE_CONT
end

function mod:validate_data(msg, ac, vctx)
  fails("data@", msg:mailfrom())
  return msys.core.VALIDATE_CONT
end

function mod:validate_data_spool(msg, ac, vctx)
  fails("data_spool", msg:mailfrom())
  return msys.core.VALIDATE_CONT
end

function mod:validate_data_spool_each_rcpt(msg, ac, vctx)
  hoard = {}
  fails("each_rcpt", msg:mailfrom())
  msg:header("X-Policy", "FIRST")
  return msys.core.VALIDATE_CONT
end

function mod:validate_set_binding(msg)
  fails("set_binding", msg:mailfrom())
  return msys.core.VALIDATE_CONT
end

msys.registerModule("p", mod)
"""
CONTENT: Final = b"Subject: hello\r\n\r\nbody\r\n"
FAILED: Final = "451 4.3.0 policy failed"
WAITING: Final = 1000
# What a session that waits in a script may cost; one that waits without policy costs some 20 KB.
MOST_OCTETS: Final = 64 * 1024


class Scripted(World):
    def configure(self, extra: str) -> None:
        if not (self.folder / "p.lua").exists():
            write(self, SCRIPT)
        super().configure(extra)


def write(world: World, text: str) -> None:
    path = world.folder / "p.lua"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)


async def recipient(world: World, name: str, hello: str = "EHLO peer.test") -> str:
    async with world.call(hello=hello) as caller:
        await caller.say("MAIL FROM:<a@x.test>")
        return await caller.say(f"RCPT TO:<{name}@one.test>")


async def test_a_script_that_runs_away_is_stopped_and_others_go_on(tmp_path: Path) -> None:
    async with Scripted(tmp_path, CONFIG, ZONE) as world:
        workers = world.worker_pids()
        away = asyncio.ensure_future(recipient(world, "loop"))
        assert (await world.send("a@x.test", ["b@one.test"], CONTENT)).startswith("250")
        assert (await away).startswith(FAILED)
        assert (await world.send("a@x.test", ["c@one.test"], CONTENT)).startswith("250")
        line = SCRIPT[: SCRIPT.index("loop = function")].count("\n") + 1
        await world.logged("paniclog", rf"validate_rcptto error.*p\.lua:{line}: .*127\.0\.0\.1")

        # Whatever else a script does wrong ends its call.
        for name in ("hog", "nil", "kind", "deep"):
            assert (await recipient(world, name)).startswith(FAILED), name
        assert (await recipient(world, "huge"))[:3] in ("451", "550")
        assert (await world.send("a@x.test", ["d@one.test"], CONTENT)).startswith("250")
        mail = await world.arrived("d@one.test")
        assert b"X-Policy: FIRST" in (mail.content or b"")
        assert world.worker_pids() == workers


async def test_a_compiled_script_that_runs_away_is_for_the_watchdog_which_says_so(
    tmp_path: Path,
) -> None:
    compiled = CONFIG.replace("time_limit = 1", "time_limit = 1\n  jit = true")
    async with Scripted(tmp_path, f"watchdog_interval = 3\n{compiled}", ZONE) as world:
        write(world, SCRIPT.replace("pcall(function() while true do end end)", "local n = 1"))
        await world.reload(f"watchdog_interval = 3\n{compiled}")
        (worker,) = world.worker_pids()
        async with world.call(hello="EHLO peer.test") as caller:
            await caller.say("MAIL FROM:<a@x.test>")
            await caller.put(b"RCPT TO:<loop@one.test>\r\n")
            await world.until(
                lambda: any("stuck, and ended" in each for each in world.output), "the watchdog"
            )
            await world.until(
                lambda: len(new := world.worker_pids()) == 1 and new != [worker], "a new worker"
            )
        # Its last words say where it was.
        await world.until(lambda: "modules/lua/asked.py" in "\n".join(world.output), "the place")
        assert (await world.send("a@x.test", ["b@one.test"], CONTENT)).startswith("250")
        await world.arrived("b@one.test")


async def test_an_error_in_each_phase_is_answered_and_told(tmp_path: Path) -> None:
    async with Scripted(tmp_path, CONFIG, ZONE) as world:
        workers = world.worker_pids()
        async with world.call() as caller:
            assert (await caller.say("EHLO fail-ehlo.test")).startswith(FAILED)
            assert (await caller.say("EHLO peer.test")).startswith("250")
            assert (await caller.say("MAIL FROM:<fail-mailfrom@x.test>")).startswith(FAILED)
            assert (await caller.say("MAIL FROM:<a@x.test>")).startswith("250")
            assert (await caller.say("RCPT TO:<fail-rcptto@x.test>")).startswith(FAILED)
            assert (await caller.say("RCPT TO:<b@x.test>")).startswith("250")
        for hook in ("data", "data_spool", "each_rcpt", "set_binding"):
            said = await world.send(f"fail-{hook}@x.test", ["b@one.test"], CONTENT)
            assert FAILED in said, hook
        for hook in ("ehlo", "mailfrom", "rcptto", "data", "data_spool", "set_binding"):
            await world.logged("paniclog", rf"validate_{hook} error.*p\.lua:9: .*nil value")
        await world.logged("paniclog", r"each_rcpt error.*p\.lua:9: ")
        assert (await world.send("a@x.test", ["b@one.test"], CONTENT)).startswith("250")
        await world.arrived("b@one.test")
        assert world.worker_pids() == workers


async def test_a_script_that_is_no_lua_refuses_a_reload_and_the_old_one_goes_on(
    tmp_path: Path,
) -> None:
    async with Scripted(tmp_path, CONFIG, ZONE, workers=2) as world:
        write(world, SCRIPT + "\nfunction mod:(\n")
        world.signal(signal.SIGHUP)
        line = SCRIPT.count("\n") + 2
        await world.until(
            lambda: any(f"p.lua' line={line})" in each for each in world.output), "the refusal"
        )
        assert (await world.send("a@x.test", ["b@one.test"], CONTENT)).startswith("250")
        assert b"X-Policy: FIRST" in ((await world.arrived("b@one.test")).content or b"")
        write(world, SCRIPT.replace("FIRST", "SECOND"))
        await world.reload(CONFIG)
        assert (await world.send("a@x.test", ["c@one.test"], CONTENT)).startswith("250")
        assert b"X-Policy: SECOND" in ((await world.arrived("c@one.test")).content or b"")


async def test_a_thousand_sessions_which_wait_in_scripts_cost_memory_only(tmp_path: Path) -> None:
    async with Scripted(tmp_path, CONFIG, ZONE) as world:
        assert (await world.send("a@x.test", ["b@one.test"], CONTENT)).startswith("250")
        await world.arrived("b@one.test")
        (worker,) = world.worker_pids()
        before = world.memory(worker)
        writers = [await waiting(world, number) for number in range(WAITING)]
        # All which came before have been served up to their wait when this one is answered.
        assert (await world.send("a@x.test", ["c@one.test"], CONTENT)).startswith("250")
        await world.arrived("c@one.test")
        each = (world.memory(worker) - before) / WAITING
        assert each < MOST_OCTETS, f"{each:.0f} octets each"
        assert world.worker_pids() == [worker]
        for writer in writers:
            writer.close()
        assert (await world.send("a@x.test", ["d@one.test"], CONTENT)).startswith("250")


async def waiting(world: World, number: int) -> asyncio.StreamWriter:
    """Bring a session to where its script waits for a name."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    said = f"EHLO s{number}.silent.test", "MAIL FROM:<a@x.test>", "RCPT TO:<wait@one.test>"
    for line in said:
        while (await reader.readline())[3:4] == b"-":
            pass
        writer.write(line.encode() + b"\r\n")
    await writer.drain()
    return writer
