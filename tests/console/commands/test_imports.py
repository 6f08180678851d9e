"""`spool import`, by its words."""

from pathlib import Path
from typing import Any

import pytest

from angarium.console.commands.imports import _order
from angarium.console.errors import CommandError
from helpers.consoles import FakeServer, Talk


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "write spool import"),
        ("/a 1 2", "write spool import"),
        ("/a 0", "0 is no number from 1 to 127"),
        ("/a --every x", "x is no number"),
        ("/a --every", "--every has no value"),
        ("/a --from tar", "write one of auto, eml, maildir, postcat"),
        ("/a --what", "there is no --what"),
        ("/a --dry-run --every 5", "looks once"),
    ],
)
def test_a_slip_is_told(line: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        _order(line.split())


def test_all_words_have_their_place() -> None:
    words = "--to a@x.test --from eml /drop/ 3 suppress_trace_headers --to b@x.test --sender s@x"
    order, background = _order([*words.split(), "--every", "60"])
    wish = order.wish
    assert (wish.path, wish.form, wish.recipients) == ("/drop", "eml", ["a@x.test", "b@x.test"])
    assert (wish.sender, wish.trace, wish.dry) == ("s@x", False, False)
    assert (order.workers, order.every, background) == (3, 60, False)
    order, background = _order(["/drop", "--background", "--dry-run"])
    assert (order.workers, order.wish.trace, order.wish.dry, background) == (1, True, True, True)


async def test_without_workers_it_fails_and_is_told_by_poll(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("angarium.console.imports.AGAIN_SECONDS", 0.0)
    talk = Talk(FakeServer(tmp_path, ""))
    assert await talk.say("spool import_poll") == "Nothing was imported"
    said = await talk.fails(f"spool import {tmp_path}")
    assert said.splitlines()[-1] == "0 messages for 0 recipients brought in"
    assert ": failed, begun" in await talk.say(f"spool import_poll {tmp_path}/")
    found: Any = await talk.plain("spool import_poll")
    assert [(each["path"], each["state"]) for each in found] == [(str(tmp_path), "failed")]
    assert "is over: failed" in await talk.fails(f"spool import_stop {tmp_path}")
    assert "nothing was imported from /x" in await talk.fails("spool import_poll /x")
