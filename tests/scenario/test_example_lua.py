"""Policy in Lua on a real server: the example, a script that waits, a fault, a runaway."""

import signal
from pathlib import Path

import pytest

from helpers.world import World

ZONE = "* A 127.0.0.1"
EXAMPLE = Path(__file__).parent.parent.parent / "examples/lua/policy/customers.lua"
CONFIG = """
binding "gold" { }
binding "bulk" { }
scriptlet "scriptlet" {
  time_limit = 0.2
  script "customers" { source = "customers" }
  script "more" { source = "more" }
}
"""
MORE = """
require("msys.core")
local mod = {}
function mod:validate_rcptto(msg, str, accept, vctx)
  local found, why = msys.dnsLookup(tostring(str):match("@(.+)"), "A")
  self.seen = (self.seen or 0) + 1
  if not found then
    vctx:set_code(550, "5.1.2 no such domain")
    return msys.core.VALIDATE_DONE
  end
  return msys.core.VALIDATE_CONT
end
function mod:validate_data_spool(msg, accept, vctx)
  local subject = msg:header("Subject")[1]
  if subject == "fault" then error("what a pity") end
  if subject == "runaway" then while true do end end
  msg:header("X-Seen", self.seen)
  return msys.core.VALIDATE_CONT
end
function mod:core_log_delivery_v1(msg, dr, now, note, notelen)
  print("delivered", msg:rcptto(), note)
end
msys.registerModule("more", mod)
"""
pytestmark = pytest.mark.slow


def content(subject: str) -> bytes:
    return b"Subject: " + subject.encode() + b"\r\n\r\nbody\r\n"


def write(world: World, name: str, text: str) -> None:
    path = world.folder / f"{name}.lua"
    path.write_text(text)
    path.chmod(0o644)


class Scripted(World):
    def configure(self, extra: str) -> None:
        if not (self.folder / "more.lua").exists():
            write(self, "customers", EXAMPLE.read_text())
            write(self, "more", MORE)
        super().configure(extra)


async def test_scripts_rule_mail_and_their_faults_keep_it_with_the_peer(tmp_path: Path) -> None:
    async with Scripted(tmp_path, CONFIG, ZONE, workers=2) as world:
        assert (await world.send("a@gold.example", ["b@one.test"], content("x"))).startswith("250")
        mail = await world.arrived("b@one.test")
        assert b"X-Customer: gold.example\r\n" in (mail.content or b"")
        assert b"X-Seen: 1\r\n" in (mail.content or b"")
        await world.logged("mainlog", "@D@.*@default@gold@")
        await world.logged("paniclog", r"scriptlet: delivered.*b@one.test.*250")
        refused = await world.send("a@other.example", ["b@one.test"], content("x"))
        assert refused.startswith("550 5.7.1 other.example is no customer")

        for subject, said in (("fault", "what a pity"), ("runaway", "ran for more than 0.2 s")):
            reply = await world.send("a@bulk.example", ["b@one.test"], content(subject))
            assert reply.startswith("451"), reply
            await world.logged("paniclog", f"validate_data_spool error: .*{said}")

        # What is wrong refuses the configuration, and the old one goes on.
        write(world, "more", MORE + "\nthis is no Lua")
        world.signal(signal.SIGHUP)
        await world.until(
            lambda: any("more.lua" in line and "near" in line for line in world.output), "refusal"
        )
        assert (await world.send("a@bulk.example", ["c@one.test"], content("y"))).startswith("250")
        await world.arrived("c@one.test")
        await world.logged("mainlog", "@D@.*@default@bulk@")
