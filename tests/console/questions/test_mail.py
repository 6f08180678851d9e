"""What is done to queued mail in a worker."""

from pathlib import Path
from typing import Any

import pytest

from angarium.console.questions import mail
from angarium.console.questions.mail import Done
from angarium.queue.choice import Choice
from helpers.mail import ended, worker
from helpers.queues import Queues


@pytest.fixture
def queues() -> Queues:
    made = Queues()
    for domain in ("a.test", "b.test"):
        line = made.put(domain, domain)
        made.defer(line.take(1)[0], 600)
        made.put(domain)
    return made


def asked(question: Any, parts: Any, *args: Any) -> Any:
    return ended(question.function(parts, *args))


def test_mail_ends_with_the_reply_that_was_said(queues: Queues, tmp_path: Path) -> None:
    parts = worker(queues, tmp_path)
    choice = Choice(domain="a.test")
    assert asked(mail.fail, parts, choice, 550, "gone", True, "failed") == Done(3, 3)
    assert parts.settle.ends == [("u@a.test", "550 gone", "failed", True)] * 3


def test_no_more_reports_are_made_than_can_be_written(queues: Queues, tmp_path: Path) -> None:
    parts = worker(queues, tmp_path)
    parts.settle.reported = dict.fromkeys(range(mail.MAX_REPORTS))
    steps = mail.fail.function(parts, Choice(), 554, "x", True, "failed")
    for _ in range(50):
        next(steps)
    assert not parts.settle.ends
    parts.settle.reported.clear()
    assert ended(steps).entries == 6


def test_flush_wakes_lines_which_had_no_host(queues: Queues, tmp_path: Path) -> None:
    line = queues.board.line("default", "default", "a.test")
    queues.board.pause(line, 600, "nobody")
    line.paused_until += 1
    assert asked(mail.flush, worker(queues, tmp_path), Choice(domain="a.test")).entries == 1
    assert not line.closed
    other = queues.board.line("default", "default", "b.test")
    queues.board.pause(other, 600, "nobody")
    assert asked(mail.flush, worker(queues, tmp_path), Choice(attempts=7)).entries == 0
    assert other.closed


def test_hold_reroute_and_rebind_count_what_they_did(queues: Queues, tmp_path: Path) -> None:
    parts = worker(queues, tmp_path)
    assert asked(mail.hold, parts, Choice(domain="a.test"), 60) == Done(2, 2)
    assert asked(mail.reroute, parts, Choice(domain="a.test"), "b.test") == Done(3, 3)
    assert asked(mail.reroute, parts, Choice(), "b.test") == Done(0, 0)
    assert asked(mail.rebind, parts, Choice()) == Done(6, 0)


def test_a_group_deals_its_mail_among_its_bindings(tmp_path: Path) -> None:
    queues = Queues()
    for _ in range(10):
        queues.put("a.test", binding="b1")
    done = asked(mail.rebind, worker(queues, tmp_path), Choice(group="g"))
    assert done == Done(10, 5)
    lines = [queues.board.line("g", each, "a.test") for each in ("b1", "b2")]
    assert [line.active for line in lines] == [5, 5]


def test_the_oldest_are_listed_and_all_are_counted(queues: Queues, tmp_path: Path) -> None:
    page = asked(mail.listed, worker(queues, tmp_path), Choice(domain="a.test"), 2, "")
    assert page.total == 3
    assert [each.ident for each in page.items] == sorted(
        ident for ident, (_, to) in queues.spool.kept.items() if to.domain == "a.test"
    )[:2]
    assert page.items[0].recipient == "u@a.test"


@pytest.mark.parametrize(("part", "count"), [("active", 4), ("delayed", 2), ("", 6)])
def test_a_part_can_be_listed(queues: Queues, tmp_path: Path, part: str, count: int) -> None:
    page = asked(mail.listed, worker(queues, tmp_path), Choice(), 10, part)
    assert page.total == len(page.items) == count
    assert all(bool(each.due) == (part == "delayed") for each in page.items if part)


def test_what_is_in_an_attempt_is_not_listed(queues: Queues, tmp_path: Path) -> None:
    parts = worker(queues, tmp_path)
    taken = queues.board.line("default", "default", "a.test").take(1)
    parts.pool.in_hands = lambda: [taken]
    assert asked(mail.listed, parts, Choice(), 10, "").total == 5


def test_what_cannot_be_read_is_listed_as_such(queues: Queues, tmp_path: Path) -> None:
    queues.spool.broken.update(queues.spool.live)
    page = asked(mail.listed, worker(queues, tmp_path), Choice(), 1, "")
    assert page.items[0].sender == "(cannot be read)"


@pytest.mark.parametrize("choice", [Choice(), Choice(sender="nobody")])
def test_how_far_it_is_is_told(
    queues: Queues, tmp_path: Path, choice: Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("angarium.queue.errand.PIECE", 2)
    monkeypatch.setattr("angarium.queue.errand.BETWEEN", 1)
    said = []
    for step in mail.listed.function(worker(queues, tmp_path, 3), choice, 1, ""):
        if isinstance(step, str):
            said.append(step)
        queues.clock.advance(2.0)
    found = 0 if choice.sender else 6
    assert said[-1] == f"worker 3: 6 looked at, {found} found"
