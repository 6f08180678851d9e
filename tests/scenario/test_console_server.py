"""Commands about the server, asked of a real one: what they print is what is the case."""

import re
from pathlib import Path

import pytest

from helpers.operators import Operator, operator
from helpers.world import World

pytestmark = pytest.mark.slow

CONTENT = b"Subject: hello\r\n\r\nhi\r\n"
ZONE = """
good.test      MX  10 mx.good.test
mx.good.test   A   127.0.0.1
dead.test      SERVFAIL
"""


async def field(admin: Operator, name: str) -> str:
    """Return the value of a line of `summary`."""
    found = re.search(rf"^ +{re.escape(name)}: +(\S+)", await admin.say("summary"), re.MULTILINE)
    assert found is not None, name
    return found[1]


async def test_the_figures_are_those_of_the_mail_which_went_through(tmp_path: Path) -> None:
    async with World(tmp_path, zone=ZONE, workers=2) as world, operator(world.state) as admin:
        assert "disabled" in await admin.say("summary")
        for number in range(3):
            await world.send("a@sender.test", [f"u{number}@good.test"], CONTENT)
        await world.send("a@sender.test", ["x@dead.test"], CONTENT)
        await world.eventually(lambda: counted(admin, "Successfully Delivered Messages", 3), "3")
        await world.eventually(lambda: counted(admin, "Received Messages", 4), "4 taken in")
        await world.eventually(lambda: counted(admin, "Total Queue Size", 1), "one left")
        assert await field(admin, "Active Domains") == "1"
        assert int(await field(admin, "DNS MX Queries")) >= 2
        await admin.say("summary reset")
        await world.eventually(lambda: counted(admin, "Received Messages", 0), "a reset")
        assert await field(admin, "Total Queue Size") == "1"
        await names(admin, world)
        await caches(admin)
        await server(admin, world)
        await admin.say("shutdown")
        assert await world.ended() == 0


async def counted(admin: Operator, name: str, number: int) -> bool:
    return await field(admin, name) == str(number)


async def names(admin: Operator, world: World) -> None:
    assert await admin.say("dns_cache lookup other.test MX") == (
        "Cached result not found, try a submit."
    )
    world.dns.zone.add("other.test 77 MX 5 mx.other.test")
    assert await admin.say("dns_cache submit other.test MX") == "Submitted"

    async def known() -> bool:
        return "5 mx.other.test" in await admin.say("dns_cache lookup other.test MX")

    await world.eventually(known, "the answer")
    assert ";other.test\t\tIN\tMX" in await admin.say("dns_cache lookup other.test MX")
    assert re.search(r"\[ +2\] other\.test \[\d+s\]\n +MX", await admin.say("dns_cache refcnts"))
    assert "SERVFAIL" in await admin.say("dns_cache lookup dead.test MX")
    assert re.search(r"MX: [1-9]", await admin.say("dns_cache stats"))
    assert await admin.say("dig good.test") == "submitted"
    assert await admin.say("refresh domain all") == ""
    assert "no type" in await admin.fails("dns_cache lookup other.test SPF")


async def caches(admin: Operator) -> None:
    *named, _, count = (await admin.say("cache list")).splitlines()
    assert {"dns", "domain names", "tls sessions"} <= set(named)
    assert count == f"{len(named)} caches listed."
    assert "CAPACITY" in await admin.say("cache list summary")
    assert "Valid attributes are [all,summary,capacity" in await admin.fails("cache list xxx")
    assert re.search(r"Loads +: [1-9]", await admin.say("cache stat dns"))
    assert "there is no cache x; there are dns" in await admin.fails("cache stat x")
    assert re.search(r"^dns +\d+", await admin.say("cache stats dns"), re.MULTILINE)


async def server(admin: Operator, world: World) -> None:
    assert "Linux" in await admin.say("sysinfo")
    said = await admin.say("threads stats")
    assert {"hose:", "supervisor:", "worker 0:", "worker 1:"} <= set(said.splitlines())
    assert "event loop threads:" in said
    assert "worker 0: event loop" in await admin.say("threads busy")
    assert await admin.say("threads io queue") == "Jobs in the IO pool\n0 jobs"
    assert "there is no pool x" in await admin.fails("threads x stats")
    assert "Module: ec_logger:ec_logger" in await admin.say("module list")
    assert re.search(r"created +: 4", await admin.say("sp_async stats"))
    assert re.search(r"Successes +: +3$", await admin.say("unlink stats"), re.MULTILINE)
    async with world.call():
        assert await admin.say("count SMTP 127.0.0.1") == "1 sessions"
        assert "127.0.0.0/8" in await admin.say("count SMTP 8-32")
    await admin.say("counter add /vendor/sample 1024")
    await admin.say("counter increment /vendor/sample")
    assert re.search("1025 .*/vendor/sample\n\n1 counters listed", await admin.say("counter list"))
    await admin.say("counter unlink /vendor/sample")
    assert "there is no counter" in await admin.fails("counter reset /vendor/sample")
    before = (world.logs / "mainlog.ec").stat().st_ino
    (world.logs / "mainlog.ec").rename(world.logs / "mainlog.1")
    await admin.say("reopen logs")

    def opened() -> bool:
        path = world.logs / "mainlog.ec"
        return path.exists() and path.stat().st_ino != before

    await world.until(opened, "the logs")
    (world.logs / "paniclog.ec").write_text("1@core@something\n")
    assert "something" in await admin.say("paniclog")
    assert 'hostname = "mx.node.test"' in await admin.say("write config")
    await admin.say(f"write config {world.folder}/copy.conf")
    assert "mx.node.test" in (world.folder / "copy.conf").read_text()
    assert "the module adaptive is not built yet" in await admin.fails("adaptive list")
