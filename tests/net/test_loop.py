"""Loops, and what their pauses are measured by."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from angarium.net import loop as loops
from angarium.net.loop import LagWatch, Pauses, RealClock
from helpers.clock import FakeLoop


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    asyncio.set_event_loop_policy(None)
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.parametrize(("name", "module"), [("", "uvloop"), ("asyncio", "asyncio.unix_events")])
def test_uvloop_is_taken_unless_asyncio_is_asked_for(name: str, module: str) -> None:
    assert loops.install(name) == module.split(".", maxsplit=1)[0]
    loop = asyncio.new_event_loop()
    assert type(loop).__module__ == module
    loop.close()


def test_the_environment_may_ask_for_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(loops.VARIABLE, "asyncio")
    assert loops.install() == "asyncio"


def test_the_real_clock_goes_on() -> None:
    clock = RealClock()
    assert clock.monotonic() <= clock.monotonic()
    assert clock.time() > 1_700_000_000


def test_what_lives_is_taken_out_of_the_collectors_sight() -> None:
    loops.settle_memory()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == loops.THRESHOLDS


def test_the_longest_pause_is_taken_once() -> None:
    pauses = Pauses()
    for seconds in (0.1, 0.3, 0.2):
        pauses.add(seconds)
    assert (pauses.count, pauses.take_longest(), pauses.take_longest()) == (3, 0.3, 0.0)


def test_a_loop_which_was_kept_is_late() -> None:
    loop = FakeLoop()
    watch = LagWatch(loop, loop.clock)
    watch.start()
    loop.call_later(0.05, loop.clock.advance, 2.0)
    loop.run_until_complete(asyncio.sleep(1))
    watch.stop()
    assert watch.lag.longest == pytest.approx(1.95)
    loop.close()


def test_collections_are_measured() -> None:
    loop = FakeLoop()
    watch = LagWatch(loop, RealClock())
    watch.start()
    gc.collect()
    watch.stop()
    assert watch.collector.count == 1
    gc.collect()
    assert watch.collector.count == 1
    loop.close()
