"""SIGHUP and SIGUSR1: a generation comes into force whole or not at all; logs are reopened."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from helpers.caller import calling
from helpers.pressure import pressure
from helpers.world import World

pytestmark = pytest.mark.slow

ZONE = "sink.test MX 10 mx.sink.test\nmx.sink.test A 127.0.0.1\n"
CONTENT = b"Subject: hello\r\n\r\nhi\r\n"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path, zone=ZONE, workers=2) as world:
        yield world


@pytest.fixture
def free() -> Iterator[int]:
    """A port which stays ours though nobody listens on it."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_listeners_come_and_go(world: World, free: int) -> None:
    world.listener = f'listen "127.0.0.1:{free}" {{ }}'
    await world.reload("")
    for _ in range(4):  # every worker has it
        async with calling(free) as caller:
            assert caller.banner.startswith("220")
    world.listener = ""
    await world.reload("")
    await world.until(lambda: not listening(free), "the listener to go")
    assert (await world.send("a@b.test", ["c@sink.test"], CONTENT)).startswith("250")


MANY = "".join(
    f'domain "d{n}.test" {{ max_retries = 1 max_retries = 2 retry_interval = 60 '
    "retry_interval = 61 message_expiration = 80 message_expiration = 81 }\n"
    for n in range(10)
)


async def test_of_many_notes_some_are_told_and_where_the_others_are(tmp_path: Path) -> None:
    hint = "and 10 more notes and warnings: run `angarium config check "
    async with World(tmp_path, MANY) as world:
        assert sum("is set here again" in line for line in world.output) == 20
        assert sum(hint in line for line in world.output) == 1
        await world.reload(MANY)
        await world.until(lambda: sum(hint in line for line in world.output) == 2, "the hint")
        assert sum("is set here again" in line for line in world.output) == 40


@pytest.mark.effect("hostname")
async def test_a_session_of_the_old_configuration_ends_at_its_next_mail(world: World) -> None:
    async with world.call() as old:
        await world.reload('hostname = "new.name.test"')
        assert (await old.say("NOOP")).startswith("250")
        assert (await old.say("MAIL FROM:<a@b.test>")).startswith("421")
        async with world.call() as new:
            assert new.banner.startswith("220 new.name.test")


async def test_a_faulty_configuration_changes_nothing_but_reopens_the_logs(world: World) -> None:
    assert (await world.send("a@b.test", ["one@sink.test"], CONTENT)).startswith("250")
    await world.logged("mainlog", "@D@sink.test@")
    mainlog = world.logs / "mainlog.ec"
    mainlog.rename(world.logs / "mainlog.1")
    world.configure("hostnam = x\n")
    world.signal(signal.SIGHUP)
    await world.until(
        lambda: any("reload refused" in line and "hostnam" in line for line in world.output),
        "the refusal",
    )
    await world.until(mainlog.exists, "a new mainlog")
    assert (await world.send("a@b.test", ["two@sink.test"], CONTENT)).startswith("250")
    assert len(await world.logged("mainlog", "@D@sink.test@")) == 1


async def test_an_address_in_use_refuses_the_generation(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        world.listener = f'listen "127.0.0.1:{port}" {{ }}'
        world.configure('hostname = "new.name.test"\n')
        world.signal(signal.SIGHUP)
        await world.until(
            lambda: any("another server has it" in line for line in world.output), "the refusal"
        )
    async with world.call() as caller:
        assert caller.banner.startswith("220 mx.node.test")


async def test_what_a_reload_cannot_bring_is_named(world: World) -> None:
    await world.reload('spool_segment_size = "32M"\nlog_hires_timestamp = true\n')
    told = [line for line in world.output if "needs restart" in line]
    assert any("spool_segment_size" in line for line in told)
    assert any("log_hires_timestamp" in line for line in told)
    assert len(told) == 2


async def test_logs_are_reopened_on_sigusr1_without_a_line_lost(world: World) -> None:
    """As logrotate does it, in the middle of a load."""
    mainlog = world.logs / "mainlog.ec"
    async with pressure(world.port) as load:
        for turn in range(3):
            seen = len(load.acknowledged)
            await world.until(lambda seen=seen: len(load.acknowledged) > seen + 30, "mail")  # type: ignore[misc]
            mainlog.rename(world.logs / f"mainlog.{turn}")
            world.signal(signal.SIGUSR1)
            await world.until(mainlog.exists, "a new mainlog")
    wanted = set(load.acknowledged)

    def received() -> list[str]:
        lines = "".join(path.read_text() for path in world.logs.glob("mainlog.*")).splitlines()
        return [line.split("@R@")[1] for line in lines if "@R@" in line]

    await world.until(lambda: len(received()) >= len(wanted), "all receptions")
    assert sorted("@".join(each.split("@")[:2]) for each in received()) == sorted(wanted)


@pytest.mark.effect("command_timeout")
async def test_a_stuck_worker_is_named_and_holds_the_reload_up_until_it_answers(
    world: World,
) -> None:
    stuck, _ = world.worker_pids()
    os.kill(stuck, signal.SIGSTOP)
    try:
        world.configure('command_timeout = 0.2\nhostname = "new.name.test"\n')
        world.signal(signal.SIGHUP)
        await world.until(
            lambda: any("no answer yet" in line and "worker" in line for line in world.output),
            "the worker to be named",
        )
        async with world.call() as caller:
            assert caller.banner.startswith("220 mx.node.test")
    finally:
        os.kill(stuck, signal.SIGCONT)
    await world.until(lambda: any("reloaded" in line for line in world.output), "the reload")


async def test_a_worker_that_starts_in_the_middle_of_a_reload_has_the_new_generation(
    world: World, free: int
) -> None:
    stuck, other = world.worker_pids()
    os.kill(stuck, signal.SIGSTOP)
    world.listener = f'listen "127.0.0.1:{free}" {{ }}'
    world.configure('command_timeout = 0.2\nhostname = "new.name.test"\n')
    world.signal(signal.SIGHUP)
    await world.until(lambda: any("no answer yet" in each for each in world.output), "the wait")
    os.kill(other, signal.SIGKILL)
    await world.until(lambda: set(world.worker_pids()) - {stuck, other}, "another worker")
    await asyncio.sleep(0)
    os.kill(stuck, signal.SIGCONT)
    await world.until(lambda: any("reloaded" in line for line in world.output), "the reload")
    os.kill(stuck, signal.SIGKILL)
    async with calling(free) as caller:
        assert caller.banner.startswith("220 new.name.test")


async def test_mail_goes_on_through_many_reloads(world: World) -> None:
    async with pressure(world.port, connections=3) as load:
        for turn in range(5):
            await world.reload(f'hostname = "name{turn}.test"\n')
    assert load.report.lost == load.report.unknown == 0
    assert load.acknowledged
    for recipient in load.acknowledged:
        await world.arrived(recipient)
