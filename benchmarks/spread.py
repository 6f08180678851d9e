"""What a message costs when mail goes to many domains, or through many bindings.

    python -m benchmarks.spread [domains] [bindings] [direct]

`domains` and `bindings` go to a gateway, so connections are shared: the cost should not depend on
how many there are. `direct` has a host for each domain, each message to another one: what it costs
more should be the price of a connection and of its look-ups, which are measured by themselves.
Processor time is that of the whole tree of processes.
"""

import argparse
import asyncio
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, cast

import uvloop

from angarium.config.load import load_text
from angarium.core.ident import Idents
from angarium.net.dns import Limits, Stub
from angarium.net.dnscache import Resolver
from angarium.net.dnssocket import Sockets
from angarium.net.loop import RealClock
from angarium.net.resolvconf import Server
from angarium.net.sweep import Sweep
from angarium.outbound.attempt import patience
from angarium.outbound.dial import Dialer
from angarium.outbound.hosts import Hosts
from angarium.outbound.means import Means
from angarium.outbound.options import Transport
from angarium.outbound.permits import Permit
from angarium.outbound.route import Router
from angarium.outbound.settle import Settle
from angarium.outbound.smtp import Session
from angarium.queue.board import Board
from angarium.queue.entry import Entry
from angarium.queue.options import HostLimits
from angarium.queue.timer import Timer
from benchmarks.fill import fill, over, spool
from benchmarks.names import Names
from benchmarks.peers import Angarium, Sink, wait_for_banner
from benchmarks.process import cpu_seconds
from benchmarks.watch import until

PROGRAM: Final = [sys.executable, "-m", "angarium.run.programs.cli"]
DNS_PORT: Final = 5353
DIRECT: Final = f'dns_servers = ( "127.0.0.1:{DNS_PORT}" )'
GATEWAY: Final = 'gateway = "127.0.0.1"\nremote_smtp_port = 2526\n'
SUSPENDED: Final = "suspend_delivery = true\n"
# The sessions are as many as the gateway has connections, and none is closed between messages.
STEADY: Final = "idle_timeout = 60\n"


def send(port: int, *words: str) -> dict[str, Any]:
    """Run a load and return what `angarium send --json` says of it."""
    command = [*PROGRAM, "send", "--server", f"127.0.0.1:{port}", *words, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, timeout=900)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def relayed(server: Angarium, sink: Sink, count: int, domains: int) -> tuple[float, float]:
    """Relay so many messages; return how many a second, and processor microseconds of each."""
    words = ("--connections", "20", "--sizes", "1k", "--domains", f"d{{1..{domains}}}.sink.test")
    _relay(server, sink, count // 10, words)  # warms it up
    return _relay(server, sink, count, words)


def _relay(server: Angarium, sink: Sink, count: int, words: tuple[str, ...]) -> tuple[float, float]:
    seen, begin, before = sink.count, time.monotonic(), cpu_seconds(server.pids())
    send(server.port, "--count", str(count), *words)
    took = sink.wait(seen + count) - begin
    time.sleep(0.5)  # The logs are written behind; their cost counts.
    cpu = cpu_seconds(server.pids()) - before
    if sink.count != seen + count:
        sys.exit(f"{sink.count - seen} of {count} messages arrived")
    return count / took, cpu / count * 1e6


def domains(folder: Path, count: int, numbers: list[int]) -> None:
    """Reception and delivery, by a gateway."""
    first = 0.0
    for number in numbers:
        sink, server = Sink(2526), Angarium(folder / "domains", extra=STEADY)
        try:
            server.start()
            rate, cpu = relayed(server, sink, count, number)
        finally:
            server.stop()
            sink.close()
        first = first or cpu
        print(
            f"{number:7} domains behind a gateway: {rate:6.0f}/s {cpu:6.0f} us, {cpu / first:.2f}",
            flush=True,
        )


def bindings(folder: Path, count: int, numbers: list[int]) -> None:
    """Delivery of what is queued, by a gateway, through bindings in turn."""
    first = 0.0
    for number in numbers:
        names = "".join(f"binding b{each} {{ }}\n" for each in range(number))
        extra = f"{STEADY}binding_group bench {{\n{names}}}\n"
        server = Angarium(folder / "bindings", extra=SUSPENDED + extra)
        shutil.rmtree(server.folder, ignore_errors=True)
        fill(server.folder / "state", count, place=over(number, 1))
        sink = Sink(2526)
        try:
            server.resume()
            until(server.folder / "state", "recovering", 0, 60.0)
            time.sleep(2.0)
            before, begin = cpu_seconds(server.pids()), time.monotonic()
            server.reload(extra)
            took = sink.wait(count) - begin
            time.sleep(0.5)
            cpu = (cpu_seconds(server.pids()) - before) / count * 1e6
            if sink.count != count:
                sys.exit(f"{sink.count} of {count} messages arrived")
        finally:
            server.stop()
            sink.close()
        first = first or cpu
        print(
            f"{number:7} bindings, delivery: {count / took:6.0f}/s {cpu:6.0f} us,"
            f" {cpu / first:.2f}",
            flush=True,
        )


def direct(folder: Path, count: int) -> None:
    """A host for each domain, and what that costs beside a kept connection."""
    with Names(DNS_PORT):
        kept = _direct(folder, count, 1, "")
        anew = _direct(folder, count, 1, "max_deliveries_per_connection = 1\n")
        each = _direct(folder, count, count, "")
        lookups = uvloop.run(_lookups(count))
    connection = uvloop.run(_connections(count))
    print(
        f"one host, connection kept: {kept:.0f} us a message; a connection each: {anew:.0f}\n"
        f"{count} domains, a host and a message each: {each:.0f} us, {each - kept:.0f} more\n"
        f"by themselves: MX and A of a new domain {lookups:.0f} us, connection, greeting and QUIT"
        f" {connection:.0f}; together {lookups + connection:.0f}",
        flush=True,
    )


def _direct(folder: Path, count: int, number: int, extra: str) -> float:
    sink, server = Sink(2526, "0.0.0.0"), Angarium(folder / "direct", route=DIRECT, extra=extra)
    try:
        server.start()
        return relayed(server, sink, count, number)[1]
    finally:
        server.stop()
        sink.close()


def _resolver(clock: RealClock) -> tuple[Stub, Resolver]:
    loop, servers = asyncio.get_running_loop(), (Server("127.0.0.1", DNS_PORT),)
    stub = Stub(servers, Sockets(loop), loop, clock, random.SystemRandom(), Limits(timeout=5.0))
    return stub, Resolver(stub, loop, clock)


async def _lookups(count: int) -> float:
    """Return the processor time of asking for MX and A of a domain nobody has asked for."""
    stub, resolver = _resolver(RealClock())

    async def some(first: int) -> None:
        for number in range(first, count, 20):
            mx = await resolver.mx(f"d{number}.sink.test")
            await resolver.address(mx.records[0].host, (2,))

    before = time.process_time()
    await asyncio.gather(*map(some, range(20)))
    took = time.process_time() - before
    stub.close()
    return took / count * 1e6


class _Owner:
    """Lets each connection go as soon as it is open."""

    def __init__(self) -> None:
        self.served = 0
        self.ended = asyncio.Event()

    def rested(self, session: Session) -> None:
        session.retire()

    def leaving(self, session: Session) -> None:
        """It says good-bye."""

    def held(self, session: Session, seconds: float) -> None:
        """Never: it has no mail."""

    def set_aside(self, entries: list[Entry], *, stays: bool) -> None:
        raise AssertionError("no message has wishes of its own")

    def barred(self, session: Session, seconds: float) -> None:
        raise AssertionError("nobody logs in here")

    def over(self, session: Session) -> None:
        self.ended.set()


async def _connections(count: int) -> float:
    """Return the processor time of opening a connection, greeting, and closing it."""
    clock, configuration = RealClock(), load_text(f'hostname = "bench.test"\n{GATEWAY}')
    sink = Sink(2526)
    wait_for_banner(2526)
    board = Board(spool(), Timer(int(clock.time())), configuration, clock)
    settle = Settle(*(cast(Any, None),) * 4, clock, random.SystemRandom())
    sweep = Sweep(clock)
    line = board.line("default", "default", "sink.test")
    options = configuration.at(Transport, group="default", binding="default")
    means = Means(line, options, settle, sweep, patience(options))
    stub, resolver = _resolver(clock)
    router = Router(resolver, random.SystemRandom())
    dialer = Dialer(router, Hosts(clock), clock, Idents(200), "bench.test")
    limits = configuration.at(HostLimits, host="127.0.0.1")

    async def some(number: int) -> None:
        for _ in range(number):
            owner, permit = _Owner(), Permit(board.ledger)
            session = await dialer.dial(means, permit, "bench.test", lambda *_: limits)
            session.start(owner, permit)
            await owner.ended.wait()

    before = time.process_time()
    await asyncio.gather(*(some(count // 20) for _ in range(20)))
    took = time.process_time() - before
    stub.close()
    sink.close()
    return took / (count // 20 * 20) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", help="domains, bindings, direct; all without")
    parser.add_argument("--count", type=int, default=60_000, help="messages of each measurement")
    parser.add_argument("--quick", action="store_true", help="a tenth of all")
    args = parser.parse_args()
    count = args.count // 10 if args.quick else args.count
    wanted = args.rows or ["domains", "bindings", "direct"]
    folder = Path(tempfile.mkdtemp(prefix="angarium-bench-", dir="/var/tmp"))
    try:
        if "domains" in wanted:
            domains(folder, count, [1, 1000, 10_000 if args.quick else 100_000])
        if "bindings" in wanted:
            bindings(folder, count, [10, 100] if args.quick else [10, 100, 1000])
        if "direct" in wanted:
            direct(folder, count // 4)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
