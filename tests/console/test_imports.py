"""Imports of a node: one for a directory, which goes on where workers die."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from angarium.console import imports
from angarium.console.errors import CommandError
from angarium.console.imports import Imports, Order
from angarium.console.node import Member
from angarium.console.question import GONE, Answers, Asking, Of
from angarium.console.questions.history import Batches
from angarium.console.questions.imports import Brought
from angarium.queue.importing import Wish
from angarium.queue.spool.claims import Left

Reply = Callable[[Any], Any]


class Node:
    """Answers each question by its name; a text is a reason why not."""

    def __init__(self, **replies: Any) -> None:
        self.replies: dict[str, Any] = {
            "import_left": [Left()], "recovering": [0], "received": [Batches()],
            "import_settle": [0], "import": [Brought()],
        } | {name: list(each) for name, each in replies.items()}  # fmt: skip
        self.asked: list[str] = []
        self.members = [
            Member(name, 1, of, 0.0, ready=True)
            for name, of in (("worker 0", Of.WORKER), ("worker 1", Of.WORKER), ("hose", Of.HOSE))
        ]

    async def ask(
        self, asking: Asking[Any], *, tell: Any = None, only: Sequence[str] = ()
    ) -> Answers[Any]:
        name = asking.name.replace(" ", "_")
        self.asked.append(name)
        replies = self.replies[name]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        who = only[0] if only else "worker 0"
        if isinstance(reply, str):
            return Answers({}, (), {who: reply})
        if tell is not None:
            tell(f"{who}: 1 of 2 files")
        return Answers({who: reply})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AGAIN_SECONDS", "LOOK_SECONDS", "TOLD_SECONDS"):
        monkeypatch.setattr(imports, name, 0.0)


def made(node: Node) -> Imports:
    return Imports(node)  # type: ignore[arg-type]


async def test_what_came_in_is_known_before_anything_is_brought_in() -> None:
    node = Node(import_left=[Left([], 1), Left([5], 0)], received=[Batches({5})])
    job = made(node).begin(Order(Wish("/drop"), workers=2))
    await job.task
    assert node.asked == [
        "import_left", "import_left", "recovering", "received", "import_settle", "import", "import",
    ]  # fmt: skip
    assert (job.state, job.over) == ("done", True)


async def test_where_a_worker_dies_it_goes_on_with_what_is_left() -> None:
    node = Node(**{"import": [GONE, Brought(files=2, messages=2)]})
    job = made(node).begin(Order(Wish("/drop")))
    await job.task
    assert (job.state, job.total.messages) == ("done", 2)
    assert node.asked.count("import_left") == 2


async def test_another_reason_ends_it() -> None:
    job = made(Node(**{"import": ["the server sees no such directory"]})).begin(
        Order(Wish("/drop"))
    )
    await job.task
    assert (job.state, job.error) == ("failed", "the server sees no such directory")


async def test_workers_which_die_again_and_again_end_it() -> None:
    node = Node(**{"import": [GONE]})
    job = made(node).begin(Order(Wish("/drop")))
    await job.task
    assert job.state == "failed"
    assert node.asked.count("import") == imports.TRIES


async def test_nothing_is_brought_in_while_it_is_not_known_what_came_in() -> None:
    node = Node(import_left=[Left([5], 0)], received=["the answer is too long"])
    job = made(node).begin(Order(Wish("/drop")))
    await job.task
    assert (job.state, "import" in node.asked) == ("failed", False)


async def test_a_dry_run_settles_nothing() -> None:
    node = Node(import_left=[Left([5], 0)])
    await made(node).begin(Order(Wish("/drop", dry=True))).task
    assert node.asked == ["import"]


async def test_a_directory_is_looked_at_again_and_what_is_refused_is_told_once() -> None:
    first = Brought(3, 2, 2, 1, {"/drop/x": "no"}, {"/drop/x": 1.0})
    node = Node(**{"import": [first, Brought(1, 1, 1)]})
    one = made(node)
    job = one.begin(Order(Wish("/drop"), every=0.001))
    for _ in range(100_000):
        if job.total.files >= 4:
            break
        await asyncio.sleep(0)
    assert (job.total.refused, job.total.reasons) == (1, {"/drop/x": "no"})
    assert one.kept() == [job.order]
    job.task.cancel()
    await asyncio.wait([job.task])
    assert (job.state, one.kept()) == ("stopped", [])


async def test_only_one_works_on_a_directory() -> None:
    one = made(Node())
    job = one.begin(Order(Wish("/drop/a"), every=60.0))
    for path in ("/drop/a", "/drop", "/drop/a/b"):
        with pytest.raises(CommandError, match="is being imported"):
            one.begin(Order(Wish(path)))
    await one.begin(Order(Wish("/drop/ab"))).task
    job.task.cancel()
    await asyncio.wait([job.task])
    await one.begin(Order(Wish("/drop/a"))).task
    with pytest.raises(CommandError, match="nothing was imported from /other"):
        one.of("/other")


async def test_who_listens_hears_how_far_it_is() -> None:
    heard: list[str] = []
    job = made(Node()).begin(Order(Wish("/drop"), workers=2))
    job.hears.append(heard.append)
    await job.task
    assert sorted(heard) == ["worker 0: 1 of 2 files", "worker 1: 1 of 2 files"]
    assert job.doing == {}


async def test_those_which_are_over_are_forgotten_one_day() -> None:
    one = made(Node())
    for number in range(imports.MOST + 5):
        await one.begin(Order(Wish(f"/drop/{number}"))).task
    assert len(one.jobs()) == imports.MOST
