"""A worker put together from a configuration: real parts, on a folder and a ledger of the test."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.queue.footprint import Reading
from angarium.queue.ledger import LedgerTable
from angarium.run import link
from angarium.run.assemble import assemble
from angarium.run.parts import Parts
from angarium.run.scoreboard import Scoreboard

CONFIG = """
hostname = "mx.node.test"
memory_hwm = 90
eventloop { concurrency = 2 }
spool_space_low = 0
ec_logger { paniclog = "paniclog.ec" }
"""


class Process:
    """Notes what a worker tells."""

    def __init__(self) -> None:
        self.alarms: list[str] = []

    def alarm(self, text: str) -> None:
        self.alarms.append(text)

    def spawn(self, work: object) -> None:
        """Nothing here goes on by itself."""


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    (tmp_path / "run").mkdir()
    Scoreboard(tmp_path / "run" / "scoreboard").close()
    table = LedgerTable(4, rows=64)
    process: Any = Process()
    start = link.Start(1, 2, str(tmp_path), 1, b"", ["001"])
    descriptors = {name: os.dup(each) for name, each in table.descriptors(1).items()}
    parts = assemble(start, load_text(CONFIG), descriptors, process)
    yield parts
    parts.ledger.close()
    parts.alarm.panics.close()
    table.close()


async def test_mail_in_and_mail_out_meet_at_the_board(parts: Parts) -> None:
    assert parts.services.admit.board is parts.board  # type: ignore[attr-defined]
    assert parts.board.demand == parts.pool.demand
    assert parts.board.give_up == parts.pool.settle.give_up
    assert parts.board.ledger is parts.ledger


async def test_who_works_on_a_message_notes_it_in_our_row(parts: Parts) -> None:
    assert parts.pool.settle.note is parts.board.recall.note is parts.row


async def test_what_a_part_finds_wrong_is_told_and_is_in_the_paniclog(
    parts: Parts, tmp_path: Path
) -> None:
    process: Any = parts.process
    parts.pool.alarm("something is wrong here")
    assert process.alarms == ["something is wrong here"]
    assert "something is wrong here" in (tmp_path / "paniclog.ec").read_text()


async def test_no_session_is_taken_while_memory_is_short(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parts.services.may_greet()
    monkeypatch.setattr(parts.memory, "_read", lambda: Reading(95, 100))
    parts.memory.sample()
    assert not parts.services.may_greet()


async def test_it_knows_its_name(parts: Parts) -> None:
    assert parts.services.profiles.at("127.0.0.1:25", "192.0.2.1").greeting == "mx.node.test"
    assert parts.pool.dialer.hostname == parts.bounces.host == "mx.node.test"
