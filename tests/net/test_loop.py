"""Loops, and what their pauses are measured by."""

import asyncio
import gc
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from angarium.events.metrics import Metrics
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


def test_the_longest_pause_of_a_second_is_to_be_read_in_the_next() -> None:
    metrics = Metrics()
    pauses = Pauses(metrics, loops.PAUSES, loops.LONGEST, loops.TOO_LONG)
    for seconds in (0.1, 0.3, 0.2, loops.NOTHING_SECONDS):
        pauses.add(seconds)
    pauses.second()
    values = metrics.snapshot()
    assert (values["loop_pause"], values["loop_pauses_long"]) == (0.3, 3)
    assert sum(values["loop_pauses"]) == 3  # type: ignore[arg-type]
    pauses.second()
    assert metrics.snapshot()["loop_pause"] == 0.0


def test_a_loop_which_was_kept_is_late() -> None:
    """And it says how much of that was its own work."""
    loop = FakeLoop()
    metrics = Metrics()
    computed = iter([0.0, 0.3, *([0.3] * 1000)])
    watch = LagWatch(loop, loop.clock, metrics, lambda: next(computed))
    watch.start()
    loop.call_later(0.002, loop.clock.advance, 2.0)
    loop.run_until_complete(asyncio.sleep(1))
    watch.stop()
    values = metrics.snapshot()
    assert values["loop_pause"] == pytest.approx(2.0 - (loops.BEAT_SECONDS - 0.002))
    assert values["loop_work_longest"] == pytest.approx(0.3)
    loop.close()


def test_collections_are_measured() -> None:
    loop = FakeLoop()
    metrics = Metrics()
    ticking = iter(range(100))
    clock = SimpleNamespace(monotonic=lambda: float(next(ticking)), time=lambda: 0.0)
    watch = LagWatch(loop, clock, metrics)
    watch.start()
    gc.collect()
    watch.stop()
    gc.collect()
    assert sum(metrics.snapshot()["collections"]) == 1  # type: ignore[arg-type]
    loop.close()
