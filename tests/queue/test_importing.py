"""Files which become mail: batch by batch, and what is left where it stops."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from angarium.core.message import Message, Recipient, Trait
from angarium.events.schema import Imported
from angarium.journal.errors import SpoolError
from angarium.queue import importing
from angarium.queue.admit import Done
from angarium.queue.importing import Importing, LeavingError, Means, Progress, Wish
from angarium.queue.spool import claims
from angarium.queue.spool.claims import Left
from helpers.clock import FakeClock

FULL = SpoolError("the disk is full", full=True)


@dataclass
class Worker:
    """Takes mail in, and says that it is durable when `land` is called, or at once."""

    state: Path
    at_once: bool = True
    refuses: SpoolError | None = None
    leaving: bool = False
    taken: list[tuple[Message, Sequence[Recipient]]] = field(default_factory=list)
    forgotten: list[Message] = field(default_factory=list)
    noted: list[Imported] = field(default_factory=list)
    waiting: list[Callable[[], None]] = field(default_factory=list)
    ids: int = 100

    def refusal(self) -> SpoolError | None:
        return self.refuses

    def bring(self, message: Message, recipients: Sequence[Recipient], done: Done) -> None:
        def land() -> None:
            for each in recipients:
                each.id = self.next_id(0.0)
            done(None)

        self.taken.append((message, recipients))
        if self.at_once:
            land()
        else:
            self.waiting.append(land)

    def next_id(self, now: float) -> int:
        self.ids += 1
        return self.ids

    def large(self) -> Any:
        raise AssertionError("nothing is large")

    def forget(self, message: Message) -> None:
        self.forgotten.append(message)

    def note(self, event: Imported) -> None:
        self.noted.append(event)

    def importing(self, drop: Path, **wish: Any) -> Importing:
        means = Means(
            self, self, FakeClock(), self.state, 1 << 17, "mx.test", "Angarium",
            lambda: self.leaving,
        )  # fmt: skip
        return Importing(means, Wish(str(drop), **wish))


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.eml").write_bytes(
            b"Return-Path: <s@x.test>\nDelivered-To: u%d@y.test\n\n.hi\n" % number
        )
    return folder


def ended(steps: Iterator[Any]) -> Progress:
    try:
        while True:
            next(steps)
    except StopIteration as end:
        result: Progress = end.value
        return result


def test_each_file_is_a_message_and_is_removed(worker: Worker, drop: Path) -> None:
    found = ended(worker.importing(drop).run())
    assert (found.files, found.messages, found.recipients, found.total) == (3, 3, 3, 3)
    assert not any(drop.iterdir())
    message, recipients = worker.taken[0]
    assert (message.sender, recipients[0].address, recipients[0].domain) == (
        "s@x.test", "u0@y.test", "y.test",
    )  # fmt: skip
    assert message.header.startswith(b"Received: by mx.test\r\n")
    assert message.body.whole().endswith(b"\r\n\r\n.hi\r\n")
    assert message.traits == Trait.DOTS
    assert [(e.result, e.id) for e in worker.noted] == [(1, r[0].id) for _, r in worker.taken]
    assert claims.left(worker.state, str(drop)) == Left()


def test_what_is_wished_counts_more_than_what_a_file_says(worker: Worker, drop: Path) -> None:
    wished = worker.importing(drop, recipients=["a@z.test", "b@z.test"], sender="", trace=False)
    assert ended(wished.run()).recipients == 6
    message, recipients = worker.taken[0]
    assert (message.sender, message.header) == ("", b"")
    assert [each.address for each in recipients] == ["a@z.test", "b@z.test"]


def test_a_dry_run_changes_nothing(worker: Worker, drop: Path) -> None:
    (drop / "none.eml").write_bytes(b"Subject: x\n\nhi\n")
    found = ended(worker.importing(drop, dry=True).run())
    assert (found.messages, len(found.refused)) == (3, 1)
    assert len(list(drop.iterdir())) == 4
    assert (worker.taken, worker.noted) == ([], [])


def test_what_cannot_be_brought_in_stays_and_is_not_looked_at_again(
    worker: Worker, drop: Path
) -> None:
    bad = drop / "bad.eml"
    bad.write_bytes(b"Subject: x\n\nhi\n")
    found = ended(worker.importing(drop).run())
    assert list(found.refused) == [str(bad)]
    assert [each.result for each in worker.noted] == [2, 1, 1, 1]
    known = {str(bad): bad.stat().st_mtime}
    assert ended(worker.importing(drop, refused=known).run()).files == 0
    changed = {str(bad): bad.stat().st_mtime - 1.0}
    assert ended(worker.importing(drop, refused=changed).run()).files == 1


def test_nothing_is_removed_before_all_of_a_batch_is_durable(worker: Worker, drop: Path) -> None:
    worker.at_once = False
    steps = worker.importing(drop).run()
    while len(worker.waiting) < 3:
        next(steps)
    assert claims.left(worker.state, str(drop)).busy == 1
    worker.waiting[0]()
    worker.waiting[1]()
    next(steps)
    assert len(list(drop.iterdir())) == 3
    worker.waiting[2]()
    assert ended(steps).messages == 3
    assert not any(drop.iterdir())


def test_a_batch_which_is_on_its_way_ends_by_itself_when_the_import_is_stopped(
    worker: Worker, drop: Path
) -> None:
    worker.at_once = False
    steps = worker.importing(drop).run()
    while len(worker.waiting) < 2:
        next(steps)
    steps.close()
    # The third was not put: it is as if it had not been read.
    assert [each.body.size for each in worker.forgotten] == [worker.taken[0][0].body.size]
    for land in worker.waiting:
        land()
    while claims.left(worker.state, str(drop)).busy:
        continue
    assert [each.name for each in drop.iterdir()] == ["2.eml"]
    assert claims.left(worker.state, str(drop)) == Left()


def test_a_claim_of_a_batch_of_which_nothing_was_put_is_let_go(
    worker: Worker, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, claim = Event(), Event(), importing._claim

    def slowly(*given: Any) -> claims.Held:
        begun.set()
        go_on.wait()
        return claim(*given)

    monkeypatch.setattr(importing, "_claim", slowly)
    steps = worker.importing(drop).run()
    while not begun.is_set():
        next(steps)
    steps.close()
    go_on.set()
    while len(claims.left(worker.state, str(drop)).batches) < 3:
        continue
    assert worker.taken == []
    assert len(worker.forgotten) == len(list(drop.iterdir())) == 3


def test_it_waits_while_no_mail_is_taken_in(worker: Worker, drop: Path) -> None:
    worker.refuses = FULL
    steps = worker.importing(drop).run()
    while next(steps) != importing.REFUSED_SECONDS:
        continue
    assert worker.taken == []
    worker.refuses = None
    assert ended(steps).messages == 3


def test_what_the_spool_does_not_take_is_left(worker: Worker, drop: Path) -> None:
    def refuse(message: Message, recipients: Sequence[Recipient], done: Done) -> None:
        done(FULL)

    worker.bring = refuse  # type: ignore[method-assign]
    found = ended(worker.importing(drop).run())
    assert (found.messages, found.left) == (0, 3)
    assert len(list(drop.iterdir())) == 3
    assert [each.result for each in worker.noted] == [4, 4, 4]


def test_a_worker_which_leaves_brings_in_no_more(worker: Worker, drop: Path) -> None:
    worker.leaving = True
    with pytest.raises(LeavingError):
        ended(worker.importing(drop).run())
    assert len(list(drop.iterdir())) == 3
    assert len(worker.forgotten) == 3
