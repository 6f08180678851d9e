"""RADIUS servers: a real one, FreeRADIUS in the foreground, and one which says what it is told to.

with freeradius({"tim": "secret"}, "shared") as port: ...
async with FakeRadius(b"shared") as fake: fake.port, fake.answers, fake.asked
"""

import asyncio
import hashlib
import hmac
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from helpers.addresses import free_port
from helpers.databases import needed

READY_SECONDS = 60.0
CONFIG = """
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {folder}
run_dir = {folder}
pidfile = {folder}/pid
max_request_time = 30
client here {{
  ipaddr = 127.0.0.1
  secret = {secret}
}}
modules {{
  pap {{
  }}
  files {{
    usersfile = {folder}/users
  }}
}}
server default {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = {port}
  }}
  authorize {{
    files
    pap
  }}
  authenticate {{
    pap
  }}
}}
"""


@contextmanager
def freeradius(users: Mapping[str, str], secret: str) -> Iterator[int]:
    """Run FreeRADIUS with these users and passwords; return its port."""
    program = needed("freeradius")
    with TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        lines = [f'{user} Cleartext-Password := "{word}"\n' for user, word in users.items()]
        (folder / "users").write_text("".join(lines))
        text = CONFIG.format(folder=folder, secret=secret, port=port)
        (folder / "radiusd.conf").write_text(text)
        log = folder / "log"
        with log.open("wb") as out:
            running = subprocess.Popen([program, "-f", "-X", "-d", name], stdout=out, stderr=out)
        try:
            end = time.monotonic() + READY_SECONDS
            while b"Ready to process requests" not in log.read_bytes():
                told = log.read_bytes().decode("utf-8", "replace")
                assert running.poll() is None, f"FreeRADIUS has ended:\n{told[-3000:]}"
                assert time.monotonic() < end, told
                threading.Event().wait(0.02)
            yield port
        finally:
            running.kill()
            running.wait()


class FakeRadius(asyncio.DatagramProtocol):
    """One server.

    Attributes:
        answers: the code of the answer to each question, in order; None says nothing. What is
            beyond is as the last one.
        sealed: it says a Message-Authenticator.
        extra: attributes of its answers.
        asked: the packets which came.
    """

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.answers: list[int | None] = [2]
        self.sealed = True
        self.extra = b""
        self.asked: list[bytes] = []
        self.port = 0
        self._transport: Any = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.asked.append(data)
        code = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if code is not None:
            self._transport.sendto(self.answer(code, data), addr)

    def answer(self, code: int, asked: bytes) -> bytes:
        body = (b"\x50\x12" + bytes(16) if self.sealed else b"") + self.extra
        head = bytes((code, asked[1])) + (20 + len(body)).to_bytes(2, "big")
        if self.sealed:
            seal = hmac.digest(self.secret, head + asked[4:20] + body, "md5")
            body = body[:2] + seal + body[18:]
        return head + hashlib.md5(head + asked[4:20] + body + self.secret).digest() + body
