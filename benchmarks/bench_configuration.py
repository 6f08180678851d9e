"""What a large configuration costs: time and memory of a process which loads it, and a lookup.

    .venv/bin/python benchmarks/bench_configuration.py              20,000 bindings, 100,000 domains
    .venv/bin/python benchmarks/bench_configuration.py 2000 10000
    .venv/bin/python benchmarks/bench_configuration.py --write FILE only the file, to start a server

The goal: 20,000 bindings and 100,000 domains in 10 s and 400 MB a process.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from angarium.config.load import declarations, load_snapshot, snapshot
from angarium.config.resolve import Configuration
from angarium.outbound.options import Transport
from angarium.queue.options import Shape

T = TypeVar("T")

GROUP_SIZE: Final = 200
LOOKUPS: Final = 8_000  # what the cache of places holds


def text(bindings: int, domains: int) -> Iterator[str]:
    """Yield a configuration: bindings in groups, and domains, with four options each."""
    for first in range(0, bindings, GROUP_SIZE):
        yield f'binding_group "group{first // GROUP_SIZE}" {{\n  message_expiration = 86400\n'
        for n in range(first, min(first + GROUP_SIZE, bindings)):
            # Addresses of the loopback network: a server which is started with it has them all.
            yield (
                f'  binding "b{n}" {{\n'
                f'    bind_address = "127.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"\n'
                f'    ehlo_hostname = "mta{n}.example.com"\n'
                f"    max_outbound_connections = {n % 50 + 1}\n"
                f'    outbound_throttle_messages = "{n % 300 + 1}/60"\n'
                "  }\n"
            )
        yield "}\n"
    for n in range(domains):
        yield (
            f'domain "d{n}.example.com" {{\n'
            f"  max_outbound_connections = {n % 20 + 1}\n"
            f'  outbound_throttle_messages = "{n % 400 + 1}/60"\n'
            f"  max_deliveries_per_connection = {n % 10 + 1}\n"
            f"  retry_interval = {n % 5 * 600 + 600}\n"
            "}\n"
        )


def memory() -> str:
    """Return what this process holds now and held at most, in MB."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    now, most = (int(status[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))
    return f"{now:6} MB now {most:6} MB at most"


def step(title: str, work: Callable[[], T]) -> T:
    real, processor = time.perf_counter(), time.process_time()
    made = work()
    real, processor = time.perf_counter() - real, time.process_time() - processor
    print(f"{title:34}{real:7.2f} s {processor:7.2f} s of processor {memory()}", flush=True)
    return made


def lookups(conf: Configuration, domains: int) -> None:
    places = [f"d{n % domains}.example.com" for n in range(LOOKUPS)]
    for title in ("first", "again"):
        began = time.perf_counter()
        for each in places:
            conf.at(Shape, group="group0", binding="b1", domain=each)
        each_us = (time.perf_counter() - began) / len(places) * 1e6
        print(f"lookup of a domain, {title:14}{each_us:7.2f} us")


def main() -> None:
    words = sys.argv[1:]
    path = Path(words[words.index("--write") + 1]) if "--write" in words else None
    counts = [int(each) for each in words if each.isdigit()] or [20_000, 100_000]
    bindings, domains = counts
    with tempfile.TemporaryDirectory() as folder:
        file = path or Path(folder) / "ecelerity.conf"
        file.write_text("".join(text(bindings, domains)))
        if path is not None:
            return
        declarations()
        print(f"{bindings} bindings, {domains} domains, {file.stat().st_size >> 20} MB; {memory()}")
        taken = step("snapshot (supervisor)", lambda: snapshot(file))
    conf = step("load (every process)", lambda: load_snapshot(taken))
    step("reload (two generations at once)", lambda: load_snapshot(taken, 2))
    step(
        "every binding (at a reload)",
        lambda: [conf.at(Transport, group=g, binding=b) for g, b in conf.bindings()],
    )
    lookups(conf, domains)


if __name__ == "__main__":
    main()
