"""A loop whose time passes only while everybody waits."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from angarium.run.stage.virtual import BEGIN, StuckError, VirtualClock, VirtualLoop


def test_sleeping_takes_no_time() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop)

    async def year() -> None:
        await asyncio.gather(asyncio.sleep(86400 * 365), asyncio.sleep(60))

    loop.run_until_complete(year())
    assert clock.monotonic() == pytest.approx(86400 * 365)
    assert clock.time() == pytest.approx(BEGIN + 86400 * 365)
    loop.close()


def test_a_thread_is_waited_for_in_earnest() -> None:
    loop = VirtualLoop()
    with ThreadPoolExecutor(1) as threads:

        async def in_a_thread() -> float:
            here = asyncio.get_running_loop()
            assert await here.run_in_executor(threads, str, 7) == "7"
            return here.time()

        assert loop.run_until_complete(in_a_thread()) == 0.0
    loop.close()


def test_who_waits_for_what_never_comes_is_told() -> None:
    loop = VirtualLoop()
    with pytest.raises(StuckError, match="nothing is due"):
        loop.run_until_complete(loop.create_future())
    loop.close()
