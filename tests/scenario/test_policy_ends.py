"""Policy on a real server when things end badly: large messages of every fate, clients which leave,
workers which are killed while a message becomes one for each recipient.
"""

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from helpers.world import World

ZONE = "* A 127.0.0.1"
CONFIG = """
large_message_threshold = 64k
python { script "p" { source = "p.py" } }
"""
SCRIPT = """
import asyncio
from angarium.policy.script import Discard, Message, Refuse, on

@on.message
async def edit(message: Message) -> None:
    fate = message.headers.get("Subject", "")
    if fate == "wait":
        await asyncio.sleep(600)
    if fate == "edited":
        message.headers["X-All"] = "yes"
    if fate == "short":
        message.body = b"short\\r\\n"

@on.each_recipient
async def each(message: Message) -> None:
    fate = message.headers.get("Subject", "")
    name = message.recipient.partition("@")[0]
    if fate == "slow":
        await asyncio.sleep(0.002)
    if fate in ("copied", "slow"):
        message.headers["X-For"] = name
    if fate == "senders":
        message.sender = f"{name}@from.test"
    if fate == "refused":
        raise Refuse(550, "5.7.1 never")
    if fate == "dropped" or (fate == "some" and name == "r1"):
        raise Discard("5.7.0 dropped")

@on.signing
def sign(message: Message) -> None:
    if message.headers.get("Subject", "") == "signed":
        message.body = b"signed\\r\\n" + message.body
"""
pytestmark = pytest.mark.slow


class Scripted(World):
    def configure(self, extra: str) -> None:
        path = self.folder / "p.py"
        path.write_text(SCRIPT, encoding="utf-8")
        path.chmod(0o644)
        super().configure(extra)


def large(fate: str, octets: int = 200_000) -> bytes:
    lines = (b"%077d\r\n" % number for number in range(octets // 79))
    return (
        b"Date: x\r\nMessage-ID: <1@x>\r\nSubject: " + fate.encode() + b"\r\n\r\n" + b"".join(lines)
    )


def files(world: World) -> list[Path]:
    return list((world.state / "spool").glob("*/large/*"))


async def test_large_messages_of_every_fate_arrive_as_decided_and_leave_no_file(
    tmp_path: Path,
) -> None:
    names = ["r1@one.test", "r2@one.test", "r3@two.test"]
    async with Scripted(tmp_path, CONFIG, ZONE) as world:
        kept = {
            "plain": 3, "edited": 3, "short": 3, "copied": 3, "senders": 3, "signed": 3,
            "some": 2, "refused": 0, "dropped": 0,
        }  # fmt: skip
        for fate in kept:
            reply = await world.send("a@x.test", names, large(fate))
            assert reply.startswith("550" if fate == "refused" else "250"), (fate, reply)
        ends = await world.settled()
        assert ends["delivered"] == ends["accepted"] == sum(kept.values())
        await world.until(lambda: not files(world), "the end of large bodies")
        tail = large("")[-3000:]
        for fate, count in kept.items():
            mails = [
                each for each in world.sink.accepted
                if b"Subject: " + fate.encode() + b"\r\n" in (each.content or b"")
            ]  # fmt: skip
            assert sum(len(each.recipients) for each in mails) == count, fate
            for mail in mails:
                content = mail.content or b""
                assert content.endswith(b"short\r\n" if fate == "short" else tail), fate
                assert (b"X-All: yes\r\n" in content) == (fate == "edited")
                assert (b"\r\n\r\nsigned\r\n" in content) == (fate == "signed")
                for name in mail.recipients if fate == "copied" else ():
                    assert f"X-For: {name.partition('@')[0]}\r\n".encode() in content

        # A client which leaves while policy waits.
        async with world.call() as caller:
            await caller.envelope("a@x.test", *names)
            await caller.say("DATA")
            await caller.put(large("wait") + b".\r\n")
            await world.until(lambda: files(world), "a large body")
            caller.reset()
        await world.until(lambda: not files(world), "the end of a large body")
        assert (await world.audit())["sound"]


async def test_of_a_message_for_each_recipient_nothing_promised_is_lost_when_workers_die(
    tmp_path: Path,
) -> None:
    chance = random.Random(6)
    promised: set[str] = set()
    content = b"Date: x\r\nMessage-ID: <1@x>\r\nSubject: slow\r\n\r\nbody\r\n"
    over = False

    async def bring(world: World, number: int) -> None:
        count = 0
        while not over:
            count += 1
            names = [f"r{number}-{count}-{each}@one.test" for each in range(10)]
            try:
                reply = await world.send("a@x.test", names, content)
            except (OSError, EOFError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.05)
                continue
            if reply.startswith("250"):
                promised.update(names)

    async with Scripted(tmp_path, CONFIG, ZONE, workers=2) as world:
        clients = [asyncio.ensure_future(bring(world, number)) for number in range(2)]
        for _ in range(2):
            before = len(promised)
            await world.until(lambda before=before: len(promised) > before, "mail")  # type: ignore[misc]
            await asyncio.sleep(chance.uniform(0.0, 0.3))
            os.kill(chance.choice(world.worker_pids()), signal.SIGKILL)
            await world.until(lambda: len(world.worker_pids()) == 2, "a new worker")
        over = True
        await asyncio.wait_for(asyncio.gather(*clients), 60)
        await world.settled()
        arrived = [mail for mail in world.sink.accepted if len(mail.recipients) == 1]
        assert promised <= {mail.recipients[0] for mail in arrived}
        for mail in arrived:
            mark = f"X-For: {mail.recipients[0].partition('@')[0]}\r\n"
            assert mark.encode() in (mail.content or b"")
