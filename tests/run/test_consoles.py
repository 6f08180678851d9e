"""The sockets of consoles: open for whoever may come, kept by who takes our place."""

import asyncio
import os
from pathlib import Path
from typing import Any

from angarium.run.consoles import Consoles
from angarium.run.sockets import Sockets
from angarium.wire.control import Greeting
from helpers.clock import FakeClock
from helpers.consoles import FakeServer
from helpers.operators import connected


class Log(list[str]):
    def error(self, event: str, **fields: Any) -> None:
        self.append(event)


def consoles(folder: Path, log: Log) -> Consoles:
    server = FakeServer(folder, "")
    return Consoles(server, server.node, Sockets(), FakeClock(), log)


async def test_the_socket_goes_to_who_takes_our_place(tmp_path: Path) -> None:
    first = consoles(tmp_path, Log())
    await first.open(tmp_path, None)
    assert first.descriptor is not None
    kept = os.dup(first.descriptor)
    first.close()
    second = consoles(tmp_path, Log())
    await second.open(tmp_path, kept)
    async with connected(tmp_path) as caller:
        assert isinstance(await caller.next(), Greeting)
    second.close()
    await asyncio.sleep(0)


async def test_without_a_socket_mail_goes_on(tmp_path: Path) -> None:
    log = Log()
    made = consoles(tmp_path, log)
    await made.open(tmp_path / "nowhere", None)
    assert log == ["no console can connect"]
    assert made.descriptor is None
    made.close()
