"""What a name costs: codec, cache, and a question over loopback that nobody has asked before.

    .venv/bin/python benchmarks/bench_dns.py

Only the CPU of this process counts; the name server runs in another. The survey's figure (STACK.md
section 2) for a bare prototype without cache, time limits and checks was 10 us a question,
for dnspython's own resolver 263.
"""

import asyncio
import random
import sys
import time
import timeit
from typing import Final

import uvloop

from angarium.net.dns import Limits, Stub
from angarium.net.dnscache import Resolver
from angarium.net.dnssocket import Sockets
from angarium.net.loop import RealClock
from angarium.net.resolvconf import Server
from angarium.wire import dns as wire

QUESTIONS: Final = 10_000
IN_FLIGHT: Final = 50
# Two MX records and their owner as a pointer to the question; hosts mx1 and mx2 of that name.
RECORDS: Final = b"".join(
    b"\xc0\x0c\0\x0f\0\1\0\0\1\x2c\0\x08\0" + bytes([n, 3]) + b"mx%d\xc0\x0c" % n for n in (1, 2)
)
SERVER: Final = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
sock.bind(("127.0.0.1", 0))
print(sock.getsockname()[1], flush=True)
records = bytes.fromhex(sys.argv[1])
while True:
    data, peer = sock.recvfrom(512)
    sock.sendto(data[:2] + b"\\x81\\x80\\0\\1\\0\\2\\0\\0\\0\\0" + data[12:-11] + records, peer)
"""


def codec() -> None:
    section = wire.question("example.com", wire.MX)
    answer = b"\0\1\x81\x80\0\1\0\2\0\0\0\0" + section + RECORDS
    for name, statement in (
        ("question", "wire.query(1, wire.question('example.com', wire.MX))"),
        ("answer of two MX", "wire.parse(answer)"),
    ):
        each = min(timeit.repeat(statement, number=20_000, repeat=3, globals=globals() | locals()))
        print(f"{name:32}{each / 20_000 * 1e6:8.2f} us")


async def names(port: int) -> None:
    loop, clock = asyncio.get_running_loop(), RealClock()
    servers = (Server("127.0.0.1", port),)
    stub = Stub(servers, Sockets(loop), loop, clock, random.SystemRandom(), Limits(timeout=5.0))
    resolver = Resolver(stub, loop, clock)

    async def some(first: int) -> None:
        for n in range(first, QUESTIONS, IN_FLIGHT):
            answer = await resolver.mx(f"n{n}.example.com")
            assert len(answer.records) == 2

    begun, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*map(some, range(IN_FLIGHT)))
    cpu, wall = time.process_time() - begun, time.perf_counter() - wall
    print(f"{'MX asked':32}{cpu / QUESTIONS * 1e6:8.2f} us, wall {wall / QUESTIONS * 1e6:.2f} us")
    count = 200_000
    each = timeit.timeit(lambda: resolver.cached_mx("n1.example.com"), number=count) / count
    print(f"{'MX from the cache':32}{each * 1e6:8.2f} us")
    stub.close()


async def main() -> None:
    codec()
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, RECORDS.hex(), stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        await names(int(await server.stdout.readline()))
    finally:
        server.kill()
        await server.wait()


if __name__ == "__main__":
    uvloop.run(main())
