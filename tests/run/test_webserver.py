"""The process of the web: what it does with sockets, and when it ends."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.run import link, scoreboard, watchdog
from angarium.run.webserver import WebServer
from helpers.browser import ask


def listening() -> tuple[socket.socket, int]:
    opened = socket.socket()
    opened.bind(("127.0.0.1", 0))
    opened.listen()
    return opened, opened.getsockname()[1]


def configured(*ports: int, more: str = "") -> Any:
    listens = " ".join(f'listen "127.0.0.1:{port}" {{ }}' for port in ports)
    return load_text(f"http_listener {{ {more} {listens} }}")


def given(opened: socket.socket, port: int) -> dict[str, int]:
    return {f"http_listener 127.0.0.1:{port}": opened.detach()}


@pytest.fixture
async def web(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[WebServer, int]]:
    watched: list[object] = []
    monkeypatch.setattr(watchdog, "attend", lambda *values: watched.append(values))
    (tmp_path / "run").mkdir()
    opened, port = listening()
    made = WebServer()
    ready = asyncio.Event()
    made.ready = ready.set  # type: ignore[method-assign]
    start = link.Start(0, 1, str(tmp_path), 1, b"", [])
    made.spawn(made.start(start, configured(port), given(opened, port)))
    await asyncio.wait_for(ready.wait(), 90)
    assert watched == [(tmp_path / "run", scoreboard.WEB, "web")]
    yield made, port
    await made.drain(5.0)


async def test_it_answers_on_the_sockets_it_is_given(web: tuple[WebServer, int]) -> None:
    _, port = web
    assert (await ask(port, "/healthz")).status == 200
    answer = await ask(port, "/readyz")
    assert (answer.status, answer.text) == (503, "the server does not run, or does not answer\n")


async def test_a_reload_opens_and_closes_and_keeps_what_stays(web: tuple[WebServer, int]) -> None:
    made, port = web
    opened, other = listening()
    smtp, _ = listening()
    kept = smtp.detach()
    made.prepare(configured(port, other), {**given(opened, other), "esmtp_listener x": kept})
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(kept)
    made.commit(reload=True)
    await settled(made)
    assert (await ask(port, "/healthz")).status == 200
    assert (await ask(other, "/healthz")).status == 200
    made.prepare(configured(other), {})
    made.commit(reload=True)
    await settled(made)
    assert (await ask(other, "/healthz")).status == 200
    with pytest.raises(OSError, match="Connect call failed"):
        await ask(port, "/healthz")


async def test_a_reload_which_is_called_off_leaves_nothing_open(web: tuple[WebServer, int]) -> None:
    made, _ = web
    opened, other = listening()
    made.prepare(configured(other), given(opened, other))
    made.abort()
    with pytest.raises(OSError, match="Connect call failed"):
        await ask(other, "/healthz")


async def test_other_names_hold_for_a_socket_which_stays(web: tuple[WebServer, int]) -> None:
    made, port = web
    assert (await ask(port, "/healthz", host="mta.test")).status == 421
    made.prepare(configured(port, more="http_hosts = ( mta.test )"), {})
    made.commit(reload=True)
    await settled(made)
    assert (await ask(port, "/healthz", host="mta.test")).status == 200


async def settled(made: WebServer) -> None:
    """Wait for what a commit has begun."""
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait([task for task in made._tasks if "_listen" in repr(task)], timeout=5)


async def test_who_is_to_end_goes_over_to_no_generation_before(
    web: tuple[WebServer, int],
) -> None:
    made, port = web
    more = [listening() for _ in range(20)]  # so that it is long under way
    ports = [each for _, each in more]
    coming = {name: each for one in more for name, each in given(*one).items()}
    made.prepare(configured(port, *ports), coming)
    made.commit(reload=True)
    await made.drain(5.0)  # what fails in the commit fails here
    made.prepare(configured(port), {})
    made.commit(reload=True)
    await settled(made)
    for each in (port, ports[0], ports[-1]):
        with pytest.raises(OSError, match="Connect call failed"):
            await ask(each, "/healthz")


async def test_of_two_generations_at_once_the_second_is_in_force(
    web: tuple[WebServer, int],
) -> None:
    made, port = web
    opened, other = listening()
    made.prepare(configured(port, more="http_hosts = ( mta.test )"), {})
    made.commit(reload=True)
    await asyncio.sleep(0)  # in the middle of it
    made.prepare(configured(port, other), given(opened, other))
    made.commit(reload=True)
    await settled(made)
    assert (await ask(port, "/healthz", host="mta.test")).status == 421
    assert (await ask(other, "/healthz")).status == 200


async def test_a_socket_which_comes_again_takes_the_place_of_the_one_before(
    web: tuple[WebServer, int],
) -> None:
    made, port = web
    kept = made._sockets[f"http_listener 127.0.0.1:{port}"]
    again = os.dup(kept.fileno())
    made.prepare(configured(port), {f"http_listener 127.0.0.1:{port}": again})
    made.commit(reload=True)
    await settled(made)
    assert kept.fileno() == -1
    assert (await ask(port, "/healthz")).status == 200
