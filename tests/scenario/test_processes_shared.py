"""What workers share: a limit that holds for all of them together, and nobody starves under it."""

import os
import signal
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from angarium.run.scoreboard import Scoreboard
from helpers.pressure import pressure
from helpers.world import World

pytestmark = pytest.mark.slow

ZONE = "sink.test MX 10 mx.sink.test\nmx.sink.test A 127.0.0.1\n"
ONE = "max_outbound_connections = 1\n"
SHARE = 20  # messages, after which a connection is given up if somebody else waits for it


async def test_one_connection_goes_round_among_four_workers(tmp_path: Path) -> None:
    async with World(tmp_path, ONE, ZONE, sink="at dot delay 0.01 answer", workers=4) as world:
        async with pressure(world.port, connections=8, count=600) as load:
            await load.finished()
        await world.delivered(600)
        order = [each.session for each in world.sink.accepted]
    # Had two been open at once, messages of an earlier one would come after those of a later one.
    assert order == sorted(order)
    shares = list(Counter(order).values())
    assert len(shares) > 12
    # Those which were cut short by others; the last ones had nobody waiting.
    assert max(shares[1:-8]) <= SHARE + 2


async def test_a_worker_that_dies_with_the_only_connection_leaves_it_to_the_others(
    tmp_path: Path,
) -> None:
    async with World(tmp_path, ONE, ZONE, sink="at dot delay 0.01 answer", workers=3) as world:
        async with pressure(world.port, connections=6, count=150) as load:
            await load.finished()
            for _ in range(3):
                seen = len(world.sink.accepted)
                await world.delivered(seen + 5)
                os.kill(world.worker_pids()[0], signal.SIGKILL)
        await world.until(
            lambda: {each for mail in world.sink.accepted for each in mail.recipients}.issuperset(
                load.acknowledged
            ),
            "all mail",
        )
        assert (await world.audit())["sound"]


@pytest.mark.effect("eventloop.concurrency")
async def test_connections_spread_evenly_over_the_workers(tmp_path: Path) -> None:
    async with World(tmp_path, zone=ZONE, workers=4) as world, AsyncExitStack() as stack:
        for _ in range(40):
            await stack.enter_async_context(world.call())
        board = Scoreboard(world.state / "run" / "scoreboard")
        sessions = [board.sessions(worker) for worker in range(4)]
        board.close()
    assert sum(sessions) == 40
    assert max(sessions) <= 10 + 2  # who exceeds the mean by more than one leaves it to others


async def test_sessions_of_one_address_are_counted_over_all_workers(tmp_path: Path) -> None:
    listener = "sessions_per_address = 4\n"
    async with World(tmp_path, "", ZONE, workers=4, listener=listener) as world:
        held = [world.call() for _ in range(4)]
        callers = [await each.__aenter__() for each in held]
        assert all(each.banner.startswith("220") for each in callers)
        async with world.call() as fifth:
            assert fifth.banner.startswith("421")
        for each in held:
            await each.__aexit__(None, None, None)
