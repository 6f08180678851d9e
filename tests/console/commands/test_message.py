"""One message by its id."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from angarium.core.ident import parse, printed
from helpers.consoles import FakeServer, Talk
from helpers.mail import worker
from helpers.queues import Queues
from helpers.streams import StreamWriter, transient


@pytest.fixture
def queues() -> Queues:
    made = Queues()
    line = made.put("a.test", "a.test")
    made.defer(line.take(1)[0], 600)
    return made


@pytest.fixture
def parts(queues: Queues, tmp_path: Path) -> Any:
    return worker(queues, tmp_path)


@pytest.fixture
def talk(tmp_path: Path, parts: Any) -> Talk:
    server = FakeServer(tmp_path, "")
    server.node.parts = {"worker 0": parts, "worker 1": worker(Queues(), tmp_path)}
    return Talk(server)


@pytest.fixture
def ids(queues: Queues) -> list[str]:
    """Return the delayed message and the active one."""
    return [printed(each) for each in sorted(queues.spool.live)]


async def test_details_say_what_is_known(talk: Talk, ids: list[str]) -> None:
    lines = (await talk.say(f"message details {ids[0]}")).splitlines()
    assert lines[0] == f"Message: {ids[0]}"
    rows = dict(each.strip().split(": ", 1) for each in lines[2:])
    assert rows["Retries"] == "1"
    assert rows["Recipient"] == "u@a.test"
    assert rows["Size"] == "1"
    assert rows["Next Attempt"].startswith("20")
    assert "Code" not in rows
    assert await talk.say(f"message details body {ids[0]}") == "x"
    assert (await talk.say(f"message details full {ids[1]}")).endswith("\nx")
    plain = await talk.plain(f"message details full {ids[1]}")
    assert (plain["id"], plain["state"], plain["content"]) == (ids[1], "active", "x")


async def test_details_have_the_last_reply_which_the_streams_know(
    talk: Talk, ids: list[str], tmp_path: Path
) -> None:
    stream, ident = StreamWriter(tmp_path / "spool" / "000"), parse(ids[0]) or 0
    for one, at, reply in (
        (ident, 5.0, "451 4.7.1 second"), (ident, 3.0, "450 first"), (7, 9.0, "450 of another one"),
    ):  # fmt: skip
        stream.put(replace(transient(one), at=at, reason=reply))
    server: Any = talk.session.server
    server.node.parts["hose"] = SimpleNamespace(state=tmp_path, heard=[])
    said = await talk.say(f"message details {ids[0]}")
    assert "                  Code: 451 4.7.1 second" in said.splitlines()
    assert (await talk.plain(f"message details {ids[0]}"))["code"] == "451 4.7.1 second"
    assert (await talk.plain(f"message details {ids[1]}"))["code"] == ""


@pytest.mark.parametrize("line", ["message details", "message details x y z"])
async def test_details_of_one_message(talk: Talk, line: str) -> None:
    assert "write message details" in await talk.fails(line)


async def test_a_message_is_failed_deleted_and_tried(
    talk: Talk, parts: Any, ids: list[str]
) -> None:
    assert await talk.say(f"message retry {ids[0]}") == "Message requeued for delivery"
    assert await talk.say(f"message retry {ids[0]}") == "Message is active already"
    assert await talk.say(f"message fail {ids[0]}") == "Message failed"
    assert await talk.say(f"message delete {ids[1]} not ours") == "Message deleted"
    assert parts.settle.ends == [
        ("u@a.test", "554 manually failed.", "failed", True),
        ("u@a.test", "554 not ours", "discarded", False),
    ]
    assert await talk.fails(f"message fail quiet {ids[0]}") == (
        f"there is no message {ids[0]} in the queue"
    )
    assert await talk.fails("message fail") == "the id of the message is missing"
    assert "one word too many" in await talk.fails(f"message retry {ids[0]} x")


async def test_one_in_an_attempt_is_left_to_it(
    talk: Talk, parts: Any, queues: Queues, ids: list[str]
) -> None:
    taken = queues.board.line("default", "default", "a.test").take(1)
    parts.pool.in_hands = lambda: [taken]
    assert await talk.fails(f"message fail {ids[1]}") == (
        "the message is in an attempt: nothing has changed"
    )


async def test_what_was_put_aside_is_taken_back(talk: Talk, queues: Queues, ids: list[str]) -> None:
    assert "in the queue already" in await talk.say(f"spool_in {ids[1]}")
    queues.spool.isolate(max(queues.spool.live))
    assert await talk.say(f"spool_in {ids[1]}") == "Message is in the queue again"
    assert "there is no message" in await talk.fails(f"spool_in {ids[1]}")


async def test_one_which_cannot_be_read_is_said(talk: Talk, queues: Queues, ids: list[str]) -> None:
    queues.spool.broken.update(queues.spool.live)
    assert "cannot be read: the disk failed" in await talk.fails(f"message details {ids[0]}")
