"""However large a message is, its worker needs a few megabytes for it: on each way it can go.

The worker may have no more than LEAVE beyond what it has (RLIMIT_DATA), and the most it had
resident is measured. 40 MB in ./test; 200 MB in the long form, some minutes.
"""

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from angarium.mail.format.seven import seven_bit
from helpers.rounds import LONG
from helpers.world import World

pytestmark = [pytest.mark.torture, pytest.mark.asyncio(loop_scope="module")]

MB: Final = 1 << 20
SIZE: Final = (200 if LONG else 40) * MB
LEAVE: Final = 32 * MB
MOST: Final = 16 * MB
CONFIG = "rfc2822_trace_headers = false\nretry_interval = 1\n"
ZONE = "* A 127.0.0.1\n"
SCRIPT = """
without 8BITMIME SMTPUTF8 BINARYMIME CHUNKING SIZE
at dot to *@again.test first 1 reply 451 4.3.0 later
at dot to *@never.test reply 550 5.7.1 no
"""
HEADER = b"Date: x\r\nMessage-ID: <1@x>\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
MIXED = HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
IMAGE = b"\r\n--b\r\nContent-Type: image/x\r\n\r\n"
END = b"\r\n--b--\r\n"


class Small(World):
    """A world whose worker may not grow."""

    def constrain(self) -> None:
        [self.worker] = self.worker_pids()
        most = self.memory(self.worker, "VmData") + LEAVE
        resource.prlimit(self.worker, resource.RLIMIT_DATA, (most, most))
        self.forget_peak()

    def forget_peak(self) -> None:
        Path(f"/proc/{self.worker}/clear_refs").write_text("5", encoding="ascii")
        self.before = self.memory(self.worker)

    def grown(self) -> int:
        """Return the octets by which the worker had more than before, at its peak."""
        return self.memory(self.worker, "VmHWM") - self.before


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Small]:
    folder = tmp_path_factory.mktemp("world")
    async with Small(folder, CONFIG, ZONE, SCRIPT) as world:
        await world.send("a@sender.test", ["b@first.test"], HEADER + b"\r\nx\r\n")
        await world.arrived("b@first.test")
        world.constrain()
        yield world


@pytest.fixture(autouse=True)
def peak(world: Small) -> None:
    world.forget_peak()
    world.sink.messages.clear()


@pytest.fixture(autouse=True)
def bound(world: Small, peak: None, tally: Counter[str]) -> Iterator[None]:
    yield
    assert world.grown() < MOST, f"{world.grown() / MB:.1f} MB"
    tally["tests in bounds"] += 1


def lines(octets: int, text: bytes) -> bytes:
    """Return lines which begin with a dot and differ from each other."""
    size = len(text) + 20
    return b"".join(b".%016d %b\r\n" % (number, text) for number in range(octets // size))


async def send(
    world: Small, to: str, content: bytes, how: str = "DATA", parameters: str = ""
) -> None:
    async with world.call() as caller:
        assert (await caller.say(f"MAIL FROM:<a@sender.test>{parameters}")).startswith("250 ")
        assert (await caller.say(f"RCPT TO:<{to}>")).startswith("250 ")
        if how == "DATA":
            assert (await caller.data(content)).startswith("250 ")
            return
        await caller.put(b"BDAT %d LAST\r\n" % len(content))
        await caller.put(content)
        assert (await caller.reply()).startswith("250 ")


@pytest.mark.parametrize("how", ["DATA", "BDAT"])
async def test_in_and_out_with_dots_before_its_lines(world: Small, how: str) -> None:
    content = HEADER + b"\r\n" + lines(SIZE, b"x" * 40)
    await send(world, f"{how}@large.test", content, how)
    assert (await world.arrived(f"{how}@large.test")).content == content


@pytest.mark.parametrize("body", ["8BITMIME", "BINARYMIME"])
async def test_made_7_bit_for_a_host_which_takes_no_more(world: Small, body: str) -> None:
    text, image = lines(SIZE // 2, "é".encode() * 20), lines(SIZE // 2, b"\xff\xfe" * 20)
    content = MIXED + TEXT + text + IMAGE + image + END
    await send(world, f"{body}@seven.test", content, "BDAT", f" BODY={body}")
    got = (await world.arrived(f"{body}@seven.test")).content
    assert got is not None
    assert got.isascii()
    assert got == seven_bit(content)


async def test_sent_again_after_a_failure_at_the_end(world: Small) -> None:
    content = HEADER + b"\r\n" + lines(SIZE, b"y" * 40)
    await send(world, "b@again.test", content)
    assert (await world.arrived("b@again.test")).content == content
    assert len(world.sink.messages) == 2


async def test_reported_to_its_sender(world: Small) -> None:
    content = HEADER + b"\r\n" + lines(SIZE, b"z" * 40)
    await send(world, "b@never.test", content, parameters=" RET=FULL")
    report = (await world.arrived("a@sender.test")).content
    assert report is not None
    assert b"Message-ID: <1@x>" in report
    assert len(report) < 10_000


async def test_all_of_it_at_once(world: Small) -> None:
    """Several large ones share the worker, and each takes its part."""
    content = HEADER + b"\r\n" + lines(SIZE // 8, b"x" * 40)
    names = [f"{number}@several.test" for number in range(4)]
    await asyncio.gather(*(send(world, name, content) for name in names))
    for name in names:
        assert (await world.arrived(name)).content == content
