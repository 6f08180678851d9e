"""Why a queue does not send: what no server can be brought to in a moment.

The situations of mail itself are made by tests/scenario/test_explain.py.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.console.insight import Insight, _closed, _whole, keys_of
from angarium.queue.line import ABSENT, COLD, SUSPENDED
from helpers.queues import Queues


def worker(**changed: Any) -> Any:
    made = SimpleNamespace(
        spool=SimpleNamespace(delivery=True, recovering=0, refusal=None),
        pool=SimpleNamespace(closing=False),
        metrics=SimpleNamespace(snapshot=dict),
        memory=SimpleNamespace(
            reading=SimpleNamespace(used=3 << 20, limit=9 << 20),
            stage=SimpleNamespace(name="NO_MAIL"),
            may_greet=lambda: True,
        ),
        services=SimpleNamespace(sessions=set()),
    )
    made.__dict__.update(changed)
    return made


def codes(part: Any) -> list[str]:
    return [each.code for each in _whole(part)]


def test_a_worker_which_is_well_holds_nothing_back() -> None:
    assert codes(worker()) == []


def test_a_worker_which_leaves_says_so() -> None:
    assert codes(worker(metrics=SimpleNamespace(snapshot=lambda: {"leaving": 1}))) == ["leaving"]
    assert codes(worker(pool=SimpleNamespace(closing=True))) == ["leaving"]


def test_a_disk_on_which_nothing_can_be_recorded_holds_all_back() -> None:
    spool = SimpleNamespace(delivery=False, recovering=2, refusal="no space")
    found = list(_whole(worker(spool=spool)))
    assert [each.code for each in found] == ["disk", "recovering"]
    assert "no space" in found[0].text


@pytest.mark.parametrize(
    ("reason", "code"), [(SUSPENDED, "suspended"), (COLD, "reading"), (ABSENT, "absent")]
)
def test_each_reason_of_a_line_is_told(tmp_path: Path, reason: int, code: str) -> None:
    queues = Queues()
    line = queues.put("a.test")
    line.close(reason)
    pool = SimpleNamespace(sources=SimpleNamespace(absent={}))
    part = SimpleNamespace(clock=queues.clock, pool=pool, state=tmp_path)
    assert [each.code for each in _closed(part, line)] == [code]


def test_a_pause_says_why_and_until_when() -> None:
    queues = Queues()
    line = queues.put("a.test")
    queues.board.pause(line, 60, "nobody answered")
    [found] = _closed(SimpleNamespace(clock=queues.clock), line)
    assert found.code == "paused"
    assert "nobody answered" in found.text
    assert found.until >= queues.clock.time() + 60


def test_memory_and_disk_say_why_no_mail_is_taken_in() -> None:
    assert Insight(worker()).intake().refusals == []
    part = worker(spool=SimpleNamespace(refusal="no space"))
    part.memory.may_greet = lambda: False
    found = Insight(part).intake()
    assert found.refusals == [
        "the spool takes no mail: no space",
        "memory is short, no_mail: 3 of 9 MB are used",
    ]


def test_a_binding_may_be_named_with_its_group() -> None:
    bindings = [("g", "b1"), ("h", "b1"), ("g", "b2")]
    part: Any = SimpleNamespace(configuration=SimpleNamespace(bindings=lambda: bindings))
    assert keys_of(part, "b1", "a.test") == [("g", "b1", "a.test"), ("h", "b1", "a.test")]
    assert keys_of(part, "h/b1", "a.test") == [("h", "b1", "a.test")]
    assert keys_of(part, "b3", "a.test") == []
