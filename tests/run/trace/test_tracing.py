"""Logs gone through: messages chosen by one record, told with all of them."""

from pathlib import Path

import pytest

from angarium.run.trace import sources, tracing
from angarium.run.trace.choice import Choice, equal
from angarium.run.trace.sources import Source

LINES = """\
1@one@b@c@R@bob@x.test@me@a.test@10.0.0.1@5@esmtp@g@b
2@two@b@c@R@eve@y.test@you@a.test@10.0.0.2@5@esmtp@g@b
1251470342@@@@M
3@one@b@c@T@x.test@0@g@b@15@0@1.00@192.0.2.1@421 later
4@two@b@c@D@y.test@5@g@other@0@1.00@192.0.2.2
5@one@b@c@D@x.test@5@g@b@1@2.00@192.0.2.3
6: R="ip" L="ip" C="c1" PATH="d" PATH_GRP="d" P="p" E=550 M=core CTXCONN=[k=v] CTXMESS=[] no
"""


@pytest.fixture
def logs(tmp_path: Path) -> list[Source]:
    (tmp_path / "a").write_text(LINES[:200])
    (tmp_path / "b").write_text(LINES[200:])
    (tmp_path / "whole").write_text(LINES)
    return [sources.of(tmp_path / "whole")]


def taken(choice: Choice, logs: list[Source], *, joint: bool = False) -> list[str]:
    with tracing.wanted(choice, logs, joint=joint) as records:
        return [each.stamp for each in records]


def test_all_without_a_test(logs: list[Source]) -> None:
    assert taken(Choice(), logs) == ["1", "2", "3", "4", "5", "6"]


def test_a_sender_chooses_receptions_or_messages(logs: list[Source]) -> None:
    choice = Choice(message={"sender": [equal("me@a.test")]})
    assert taken(choice, logs) == ["1"]
    assert taken(choice, logs, joint=True) == ["1", "3", "5"]


def test_a_sender_and_a_host_choose_attempts_of_its_messages(logs: list[Source]) -> None:
    choice = Choice(
        message={"sender": [equal("me@a.test")]}, attempt={"destination": [equal("192.0.2.3")]}
    )
    assert taken(choice, logs) == ["5"]


def test_counts(logs: list[Source]) -> None:
    assert tracing.counted(Choice(), logs) == {"R": 2, "T": 1, "D": 2, "": 1}
    choice = Choice(
        message={"sender_domain": [equal("a.test")], "recipient": [equal("eve@y.test")]}
    )
    assert tracing.counted(choice, logs) == {"R": 1, "D": 1}


def test_histories_are_grouped_by_message(logs: list[Source]) -> None:
    with tracing.histories(Choice(), logs) as records:
        assert [(ident, each.stamp) for ident, each in records] == [
            ("one", "1"), ("one", "3"), ("one", "5"), ("two", "2"), ("two", "4"), ("c1", "6"),
        ]  # fmt: skip
    choice = Choice(attempt={"destination": [equal("192.0.2.1")]})
    with tracing.histories(choice, logs) as records:
        assert [each.stamp for _, each in records] == ["1", "3", "5"]


def test_how_often_logs_are_read() -> None:
    message = Choice(message={"sender": [equal("x")]})
    assert tracing.passes(Choice(), whole=False) == 1
    assert tracing.passes(message, whole=False) == 1
    assert tracing.passes(message, whole=True) > 1
