"""What policy costs a message, in memory: sessions, queues and policy of one worker, no sockets.

    python -m benchmarks.bench_policy [POLICY ...]      see benchmarks/policies

One session which stays, a message of 10 KB to one recipient. The shortest of many rounds.
"""

import asyncio
import gc
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Final

from angarium.config.load import load_text
from angarium.net.loop import settle_memory
from angarium.run.stage.stage import Client, Stage
from angarium.run.stage.virtual import VirtualLoop
from benchmarks.policies import KINDS, stanza

ROUNDS: Final = 150
MESSAGES: Final = 50
BASE: Final = 'relay_hosts = ("0.0.0.0/0")\nesmtp_listener { listen "127.0.0.1:2525" { } }\n'
HEADER: Final = b"Subject: x\r\nFrom: a@x.example\r\nTo: b@y.example\r\n\r\n"
SAYS: Final = (
    b"MAIL FROM:<a@x.example>\r\n",
    b"RCPT TO:<b@y.example>\r\n",
    b"DATA\r\n",
    HEADER + (b"x" * 76 + b"\r\n") * 130 + b".\r\n",
)


def send(client: Client) -> None:
    for each in SAYS:
        client.send(each)


async def measured(kind: str, loop: VirtualLoop, folder: Path) -> float:
    """Return the microseconds of a message."""
    stage = Stage(load_text(BASE + stanza(kind, folder)), loop)
    client = stage.connect("127.0.0.1")
    await stage.quiet()
    client.send(b"EHLO x.example\r\n")
    await stage.quiet()
    settle_memory()
    best = float("inf")
    for _ in range(ROUNDS):
        client.heard()
        began = perf_counter()
        for _ in range(MESSAGES):
            send(client)
        best = min(best, (perf_counter() - began) / MESSAGES * 1e6)
        taken = len(stage.spool.put_down)
        if taken != MESSAGES:
            sys.exit(f"{taken} of {MESSAGES} messages were taken: {stage.panics[-1:]}")
        for ident in list(stage.spool.live):
            stage.spool.isolate(ident)
        stage.spool.put_down.clear()
        await stage.quiet()
        gc.collect(0)
    stage.close()
    return best


def main(kinds: list[str]) -> None:
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            loop = VirtualLoop()
            asyncio.set_event_loop(loop)
            taken = loop.run_until_complete(measured(kind, loop, Path(folder)))
            loop.close()
        print(f"{kind.partition('=')[0]:20}{taken:8.1f} us", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(KINDS))
