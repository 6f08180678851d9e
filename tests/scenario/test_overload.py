"""A flood of mail which cannot be delivered: memory stays bounded, and nothing taken on is lost.

The server has some megabytes to spare, made of the real machine by memory_goal and memory_hwm in
fractions of a percent; what cannot leave memory, the entries of the queue, soon takes them.
"""

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from angarium.events.schema import ServerEvent, decode
from angarium.events.stream import KINDS, MESSAGES, frames
from angarium.journal.disk import FileDisk
from angarium.journal.reader import Tail
from angarium.lab.received import Received
from angarium.lab.sink import Sink
from angarium.queue.footprint import Footprint
from helpers.pressure import pressure
from helpers.rounds import rounds
from helpers.world import World

pytestmark = pytest.mark.torture

MB: Final = 1 << 20
# Above what an idle worker has. What is on its way when the mark is reached is taken in yet:
# sessions, what waits for the disk, and what comes within a tenth of a second.
GOAL, MARK, OVER = 10 * MB, 16 * MB, 12 * MB
RECIPIENTS = 100
UP = "max_retries = none\nhost_failure_retry = 0\nretry_interval = 3\nmax_retry_interval = 3\n"
DOWN = UP + "remote_smtp_port = 1\n"
PATIENCE = 120.0
LAST = "no mail is taken in"  # Memory may pass through the stages before it in one look.


class Names(Sink):
    """A sink which keeps for whom mail came, and no content."""

    def __init__(self, script: str) -> None:
        super().__init__(script, keep=False, witnesses=[self._note])
        self.names: set[str] = set()

    def _note(self, mail: Received) -> None:
        if mail.accepted:
            self.names.update(mail.recipients)


class Flooded(World):
    """A world which watches the memory of its worker."""

    receiver = Names
    sink: Names
    idle = now = peak = 0

    async def __aexit__(self, *why: Any) -> None:
        self._watching.cancel()
        await super().__aexit__(*why)

    def watch(self) -> None:
        [pid] = self.worker_pids()
        self._watching = asyncio.ensure_future(self._watch(pid))

    async def _watch(self, pid: int) -> None:
        while True:
            self.now = self.memory(pid)
            self.peak = max(self.peak, self.now)
            await asyncio.sleep(0.02)

    def limits(self) -> str:
        """Return options which give the worker so much memory to spare."""
        [pid] = self.worker_pids()
        self.idle = self.now = self.memory(pid)
        whole = Footprint(1)().limit
        goal, mark = (100.0 * (self.idle + more) / whole for more in (GOAL, MARK))
        return f"memory_goal = {goal:.4f}\nmemory_hwm = {mark:.4f}\n"

    async def banner(self) -> str:
        """Return what a new client is told first."""
        [line] = await self.dialogue("S: ")
        return line

    async def open(self) -> bool:
        return (await self.banner()).startswith("220 ")

    def told(self, text: str) -> bool:
        return any(text in line for line in self.output)


async def test_a_flood_is_answered_in_stages_and_all_that_was_taken_on_arrives(
    tmp_path: Path, tally: Counter[str]
) -> None:
    async with Flooded(tmp_path, UP, "* A 127.0.0.1\n") as world:
        # What a worker needs to deliver at all is there only when it has delivered something.
        await world.send("a@s.test", ["first@new.test"], b"Subject: x\r\n\r\n")
        await world.until(lambda: "first@new.test" in world.sink.names, "the first mail")
        limits = world.limits()
        await world.stop()
        world.configure(DOWN + limits)
        await world.start()
        world.watch()
        for number in range(rounds(1, 20)):
            world.output.clear()
            await world.reload(DOWN + limits)
            names = await one_flood(world, number, tally)
            # The way is free again: what waits goes out, and mail is taken in again.
            await world.reload(UP + limits)
            await world.until(lambda: names <= world.sink.names, "all mail", PATIENCE)  # noqa: B023
            await world.eventually(world.open, "new sessions")
            reply = await world.send("a@s.test", [f"{number}@new.test"], b"Subject: x\r\n\r\n")
            assert reply.startswith("250 ")
            new = f"{number}@new.test"
            await world.until(lambda: new in world.sink.names, "new mail")  # noqa: B023
    events = server_events(tmp_path)
    assert any(LAST in each for each in events)
    assert LAST not in events[-1]


async def one_flood(world: Flooded, number: int, tally: Counter[str]) -> set[str]:
    """Send until sessions are refused; return who was taken on."""
    # What a flood before this one left hollow is used again, but does not count as used.
    hollow = world.now - world.idle
    async with pressure(
        world.port,
        to=f"m{{1..40}}.r{number}.test",
        size="60k",
        prefix=f"r{number}-",
        recipients=RECIPIENTS,
        connections=8,
    ) as load:
        world.peak = 0
        await world.until(lambda: load.report.refused, "a refusal", PATIENCE)
        await world.until(lambda: load.report.cut > 50, "sessions refused")
    peak = world.peak - world.idle - hollow
    assert world.told(LAST)
    assert peak < MARK + OVER, f"{peak / MB:.1f} MB"
    assert (await world.banner()).startswith("421 4.3.4 ")
    said = load.report.refused
    assert all(re.search(" (452|421|503)$", step) for step in said), said
    tally["recipients taken on"] += len(load.acknowledged)
    tally["messages refused"] += sum(said.values())
    tally["sessions refused"] += load.report.cut
    return set(load.acknowledged)


def server_events(state: Path) -> list[str]:
    """Return what the streams say of the server itself, the memory."""
    found = []
    for folder in state.glob("state/spool/*/events"):
        tail = Tail(FileDisk(), str(folder), KINDS[MESSAGES])
        at = 0
        while records := tail.read(at, 1000):
            at = records[-1][0]
            events = (decode(octets) for _, payload in records for _, _, octets in frames(payload))
            found += [
                each.text
                for each in events
                if isinstance(each, ServerEvent) and each.kind == "memory"
            ]
        tail.close()
    return found
