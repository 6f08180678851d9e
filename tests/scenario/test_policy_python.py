"""Policy in Python on a real server: bindings and copies, a reload, a fault, mail of its own."""

import asyncio
import signal
from pathlib import Path

import pytest

from helpers.world import World

ZONE = "* A 127.0.0.1"
CONFIG = """
binding "b1" { }
binding "b2" { }
python { script "p" { source = "p.py" } }
"""
FIRST = """
from angarium.policy.script import Message, Refuse, Server, on

@on.recipient
async def who(address: str, server: Server) -> None:
    if not await server.lookup(address.partition("@")[2]):
        raise Refuse(550, "5.1.2 no such domain")

@on.each_recipient
def tag(message: Message) -> None:
    message.headers["X-Tag"] = f"first {message.recipient}"
    message.variables["customer"] = message.recipient.partition("@")[0]

@on.binding
def bind(message: Message, server: Server) -> None:
    server.bind(message, message.variables["customer"])

@on.delivered
async def never(message: Message) -> None: ...
"""
CONTENT = b"Subject: hello\r\n\r\nbody\r\n"
pytestmark = pytest.mark.slow


def write(world: World, text: str) -> None:
    path = world.folder / "p.py"
    path.write_text(text)
    path.chmod(0o644)


class Scripted(World):
    def configure(self, extra: str) -> None:
        if not (self.folder / "p.py").exists():
            write(self, FIRST.replace("async def never", "def never"))
        super().configure(extra)


async def test_a_script_rules_mail_until_a_reload_brings_another(tmp_path: Path) -> None:
    async with Scripted(tmp_path, CONFIG, ZONE, workers=2) as world:
        reply = await world.send("a@x.test", ["b1@one.test", "b2@one.test"], CONTENT)
        assert reply.startswith("250")
        for name in ("b1", "b2"):
            mail = await world.arrived(f"{name}@one.test")
            assert f"X-Tag: first {name}@one.test".encode() in (mail.content or b"")
        await world.logged("mainlog", "@D@.*@default@b1@")
        await world.logged("mainlog", "@D@.*@default@b2@")

        # What is wrong refuses the configuration, and the old one goes on.
        write(world, FIRST)
        world.signal(signal.SIGHUP)
        await world.until(
            lambda: any("may not be async" in line for line in world.output), "the refusal"
        )
        assert (await world.send("a@x.test", ["b1@two.test"], CONTENT)).startswith("250")
        assert b"first" in ((await world.arrived("b1@two.test")).content or b"")

        async with world.call() as caller:
            await caller.say("EHLO x")
            second = FIRST.replace("async def never", "def never").replace("first", "second")
            write(world, second)
            await world.reload(CONFIG)
            assert (await caller.say("MAIL FROM:<a@x.test>")).startswith("421")
        assert (await world.send("a@x.test", ["b2@three.test"], CONTENT)).startswith("250")
        assert b"second" in ((await world.arrived("b2@three.test")).content or b"")


async def test_a_fault_of_a_script_keeps_the_mail_with_the_peer(tmp_path: Path) -> None:
    broken = """
from angarium.policy.script import Message, Server, on

@on.message
async def fails(message: Message, server: Server) -> None:
    if "bad" in message.headers["Subject"]:
        raise ValueError("what a pity")
    await server.send("robot@x.test", ["copy@two.test"], b"Subject: copy\\r\\n\\r\\nx\\r\\n")
"""
    async with Scripted(tmp_path, "", ZONE) as world:
        write(world, broken)
        await world.reload(CONFIG)
        said = await world.send("a@x.test", ["b@one.test"], b"Subject: bad\r\n\r\nx\r\n")
        assert said == "451 4.3.0 policy failed"
        (line,) = await world.logged("paniclog", "validate_data_spool error")
        assert "p.py:7: ValueError: what a pity (message " in line
        said = await world.send("a@x.test", ["b@one.test"], CONTENT)
        assert said.startswith("250")
        await asyncio.gather(world.arrived("b@one.test"), world.arrived("copy@two.test"))
        ends = await world.settled()
        assert ends["accepted"] == ends["delivered"] == 2


RUNS_AWAY = """
import time
from angarium.policy.script import Message, Refuse, Server, on

@on.message
def runs(message: Message) -> None:
    while "loop" in message.headers["Subject"]:
        try:
            time.time()
        except Exception:
            pass

@on.message
async def waits_first(message: Message, server: Server) -> None:
    await server.sleep(0.01)
    while "late" in message.headers["Subject"]:
        message.headers["X-Late"] = "yes"
"""
AWAY = b"Subject: %s\r\n\r\nx\r\n"


@pytest.mark.effect("python.time_limit")
async def test_a_function_that_runs_away_is_stopped_and_the_worker_goes_on(tmp_path: Path) -> None:
    stanza = 'python { time_limit = %s\n script "p" { source = "p.py" } }\npolicy_error_code = 452'
    async with Scripted(tmp_path, "", ZONE) as world:
        write(world, RUNS_AWAY)
        await world.reload(stanza % "0.5")
        workers = world.worker_pids()
        for what, handler in (b"loop", "runs"), (b"late", "waits_first"):
            said = await world.send("a@x.test", ["b@one.test"], AWAY % what)
            assert said == "452 4.3.0 policy failed"
            (line,) = await world.logged("paniclog", f"validate_data_spool error: p {handler}: ")
            assert "more than 0.5 s without a rest (message " in line
        assert (await world.send("a@x.test", ["b@one.test"], CONTENT)).startswith("250")
        await world.arrived("b@one.test")
        assert world.worker_pids() == workers
