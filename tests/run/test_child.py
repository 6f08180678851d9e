import asyncio
import os
import signal
import socket
import subprocess
from pathlib import Path

import msgspec
import pytest

from angarium.run import link
from angarium.run.child import Backoff, Child, resumed, spawn

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
    child = spawn(
        "helpers.echo_child",
        "echo",
        START,
        {"stdin": 0},
        lambda _, message: heard.append(message),
        lambda _, status: ended.set_result(status),
    )
    assert await asyncio.wait_for(ended, 90) == 7
    assert child.ready
    assert heard == [link.Ready(), link.Alarm("state=/nowhere fds=stdin")]


async def test_a_child_killed_is_reported_with_its_signal() -> None:
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    child = spawn(
        "helpers.echo_child",
        "echo",
        START,
        {},
        lambda _, message: None,
        lambda _, status: ended.set_result(status),
    )
    child.kill()
    assert await asyncio.wait_for(ended, 90) == -signal.SIGKILL


async def test_a_child_is_gone_on_with_where_another_has_stopped_to_listen() -> None:
    """As after an exec: by number of process and descriptors, and what was heard of a message."""
    heard: list[link.Message] = []
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    ours, its = link.pair()
    reading = ["sh", "-c", "read line; exit 5"]
    with subprocess.Popen(reading, stdin=subprocess.PIPE) as process:  # noqa: ASYNC220
        first = Child("worker 7", process.pid, process.wait, ours, _nobody, _nobody)
        await _turns()
        assert first.at_rest
        message = link.frame(link.Alarm("disk full"))
        its[0].sendall(message[:9])
        await _turns()
        kept = first.keep()
        its[0].sendall(message[9:])
        await _turns()  # which it does not hear
        assert kept == first.keep()
        assert (kept.name, kept.ready, kept.heard) == ("worker 7", False, message[:9])
        again = msgspec.structs.replace(
            kept, link=os.dup(kept.link), descriptors=os.dup(kept.descriptors)
        )
        second = resumed(
            again,
            lambda _, message: heard.append(message),
            lambda _, status: ended.set_result(status),
        )
        # It is not at rest before its link is there, but nobody is to think that it hangs.
        assert (second.at_rest, second.clogged) == (False, False)
        await _turns()
        assert (second.at_rest, second.clogged) == (True, False)
        assert heard == [link.Alarm("disk full")]
        second.send(link.Reopen())
        assert link.Frames().feed(await _read(its[0])) == [link.Reopen()]
        # It is reaped once: by the one that goes on.
        asyncio.get_running_loop().remove_reader(first._pidfd)
        os.close(first._pidfd)
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
        its[0].close()
        its[1].close()
        assert await asyncio.wait_for(ended, 90) == 5
        process.returncode = 5
    first._link.close()
    first._fds.close()
    await asyncio.sleep(0)


async def _turns() -> None:
    """Let the loop do what is ready, and what follows from it."""
    for _ in range(10):
        await asyncio.sleep(0)


async def _read(link_: socket.socket) -> bytes:
    link_.setblocking(False)
    return await asyncio.get_running_loop().sock_recv(link_, 4096)


def _nobody(*_: object) -> None:
    """Nobody listens."""
