import asyncio
import signal
from pathlib import Path

import pytest

from angarium.run import link
from angarium.run.child import Backoff, Child

START = link.Start(0, 1, "/nowhere", 1, b"", ["000"])


def test_a_child_that_keeps_dying_young_waits_longer_and_one_that_lived_does_not() -> None:
    backoff = Backoff(first=0.1, longest=1.0, young=10.0)
    assert [backoff.after(1.0) for _ in range(5)] == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert backoff.after(60.0) == 0.1


@pytest.fixture(autouse=True)
def _the_child_finds_the_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    tests = Path(__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{tests}:{tests.parent / 'src'}")


async def test_a_child_speaks_through_its_link_and_its_end_is_noticed() -> None:
    heard: list[link.Message] = []
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    child = Child(
        "helpers.echo_child",
        "echo",
        START,
        {"stdin": 0},
        lambda _, message: heard.append(message),
        lambda _, status: ended.set_result(status),
    )
    assert await asyncio.wait_for(ended, 20) == 7
    assert child.ready
    assert heard == [link.Ready(), link.Alarm("state=/nowhere fds=stdin")]


async def test_a_child_killed_is_reported_with_its_signal() -> None:
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    child = Child(
        "helpers.echo_child",
        "echo",
        START,
        {},
        lambda _, message: None,
        lambda _, status: ended.set_result(status),
    )
    child.kill()
    assert await asyncio.wait_for(ended, 20) == -signal.SIGKILL
