"""One worker is asked, and one alone."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from angarium.console.errors import CommandError
from angarium.console.one import first, whole
from angarium.console.questions import shared
from angarium.policy.shared.node import Shared
from helpers.clock import FakeClock
from helpers.consoles import FakeServer, Talk


async def test_the_first_worker_does_it_and_no_other(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, "")
    talk = Talk(server)
    with pytest.raises(CommandError, match="no worker is ready"):
        await whole(talk.session, shared.counters())
    known = [Shared(FakeClock(), number) for number in range(2)]
    for number, each in enumerate(known):
        server.node.parts[f"worker {number}"] = SimpleNamespace(shared=each)
    assert await whole(talk.session, shared.count("/a", "add", 3)) == 3
    assert [each.counters.read(b"/a") for each in known] == [3, 0]
    with pytest.raises(CommandError, match="no counter /b"):
        await whole(talk.session, shared.count("/b", "reset", 0))


async def test_who_leaves_is_asked_where_there_is_no_other(tmp_path: Path) -> None:
    """One of an upgrade was gone before it answered, and what it was told might have been, too."""
    server = FakeServer(tmp_path, "")
    session = Talk(server).session
    known = {f"worker {number}": Shared(FakeClock(), number) for number in range(3)}
    server.node.parts |= {name: SimpleNamespace(shared=each) for name, each in known.items()}
    server.node.leaving = {"worker 0", "worker 1"}
    assert await whole(session, shared.count("/a", "add", 3)) == 3
    assert known["worker 2"].counters.read(b"/a") == 3
    assert not known["worker 0"].has("counters")
    server.node.leaving.add("worker 2")
    assert first(session).name == "worker 0"
