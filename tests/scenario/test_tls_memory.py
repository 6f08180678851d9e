"""What one worker has found out about the TLS of a host all of the node know, and keep."""

import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from helpers.certificates import authority, server_context
from helpers.operators import operator
from helpers.outlook import LETTER, Outlook, Watched

pytestmark = pytest.mark.slow

CONFIG = "tls = ifavailable\nidle_timeout = 0.1\n"
REFUSING = "at starttls reply 454 4.7.0 not now"
HOSTS = 8
ZONE = "\n".join(
    f"{name}{host}.test A 127.0.2.{host}"
    for name in ("first", "again", "more")
    for host in range(1, HOSTS + 1)
)


class Refusing(Outlook):
    """A world whose hosts offer STARTTLS, and refuse it."""

    hosts: Watched

    async def round(self, name: str) -> int:
        """Send to each host, by both workers; return how often TLS was tried so far."""
        async with AsyncExitStack() as stack:
            for host in range(1, HOSTS + 1):
                caller = await stack.enter_async_context(self.call())  # stays, so all get some
                said = await caller.deliver(LETTER, f"b@{name}{host}.test")
                assert said.startswith("250"), said

        def came() -> bool:
            return sum(f"@{name}" in each.recipients[0] for each in self.hosts.accepted) == HOSTS

        await self.until(came, f"all mail for {name}")
        await self.until(lambda: not self.hosts.counts.open, "the end of all connections")
        return sum("STARTTLS" in each.commands for each in self.hosts.sessions)

    async def known(self, count: int) -> None:
        """Wait until a worker, the first which is ready, knows of so many hosts."""
        async with operator(self.state) as admin:

            async def shown() -> bool:
                told = await admin.say("shared list")
                known = [line for line in told.splitlines() if line.startswith("hosts without tls")]
                return [line.split()[4] for line in known] == [str(count)]

            await self.eventually(shown, f"{count} hosts to be known")


async def test_what_one_worker_has_found_out_holds_for_all_and_for_those_who_come_after(
    tmp_path: Path,
) -> None:
    context = server_context(tmp_path, authority().signed("mx.test"))
    async with Refusing(tmp_path, CONFIG, ZONE, workers=2) as world:
        addresses = [(f"127.0.2.{host}", world.sink.port) for host in range(1, HOSTS + 1)]
        async with Watched(REFUSING, addresses, tls=context) as world.hosts:
            assert await world.round("first") == HOSTS
            await world.known(HOSTS)
            before = set(world.worker_pids())
            world.signal(signal.SIGUSR2)
            await world.until(lambda: not before & set(world.worker_pids()), "new workers")
            await world.known(HOSTS)
            # One of them may not have been told of all; had each to find it out, it would be twice.
            tried = await world.round("again")
            assert HOSTS <= tried < 2 * HOSTS
            async with operator(world.state) as admin:
                [shown] = (await admin.say("explain domain more1.test")).split("spoken to")[1:]
                assert shown.startswith(" in clear until ")
                assert "no tls go-ahead" in shown
                await admin.say("tls flush cache")
            await world.known(0)
            assert await world.round("more") == tried + HOSTS
