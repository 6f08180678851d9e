"""Imports in a worker: how far they are, and what they have left."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from angarium.console.questions.imports import Brought, bring, left, recovering, said, settle
from angarium.queue.importing import Progress, Wish
from angarium.queue.spool.claims import Claim, Held, Left
from helpers.clock import FakeClock
from helpers.mail import ended


def worker(state: Path) -> Any:
    options = SimpleNamespace(large_message_threshold=1000, external_hostname="mx.test")
    return SimpleNamespace(
        number=3, leaving=False, state=state, clock=FakeClock(), admit=None,
        configuration=SimpleNamespace(top=lambda options_: options),
        pool=SimpleNamespace(dialer=SimpleNamespace(hostname="node.test")),
        services=SimpleNamespace(program="Angarium"),
        spool=SimpleNamespace(recovering=2, forget=lambda message: None),
    )  # fmt: skip


def test_what_came_of_it_names_what_was_refused(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "bad").write_bytes(b"Subject: x\n\nhi\n")
    (drop / "good").write_bytes(b"Delivered-To: u@y.test\n\nhi\n")
    found = ended(bring.function(worker(tmp_path), Wish(str(drop), dry=True)))
    assert (found.files, found.messages, found.refused) == (2, 1, 1)
    assert list(found.reasons) == list(found.changed) == [str(drop / "bad")]
    assert (found + Brought(files=1, left=4)).files == 3


def test_how_far_it_is_is_said() -> None:
    progress = Progress(files=64, messages=60, total=100)
    assert said(progress) == "64 of 100 files, 60 messages"
    progress.refused["x"] = "no"
    assert said(progress) == "64 of 100 files, 60 messages, 1 refused"


async def test_what_was_begun_is_told_and_finished(tmp_path: Path) -> None:
    one, path = worker(tmp_path), tmp_path / "drop"
    path.touch()
    Held(tmp_path, [Claim(7, str(path), path.stat().st_ino)]).let_go()
    assert await left.function(one, "/x") == Left([7], 0)
    assert await settle.function(one, [7], [7]) == 1
    assert not path.exists()
    assert await left.function(one, "/x") == Left()


def test_what_is_not_read_yet_is_counted(tmp_path: Path) -> None:
    assert recovering.function(worker(tmp_path)) == 2
