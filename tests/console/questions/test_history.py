"""What happened, in words, and which of it is wanted."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from angarium.console.questions.history import (
    Batches,
    Happened,
    Wanted,
    life,
    line,
    received,
    told,
)
from angarium.events.schema import Rejection, ServerEvent, TransientFailure
from helpers.mail import ended
from helpers.streams import StreamWriter, delivery, reception

FAILED = TransientFailure(
    1.0, 7, 6, 5, 0, "B@a.test", "s@s.test", "a.test", 0, 10, "g", "b1", 0.5, "192.0.2.1:25", 4,
    "451 later", 60.0,
)  # fmt: skip


def test_a_failure_says_where_why_and_when_again() -> None:
    happened = told(FAILED)
    assert happened.kind == "deferred"
    assert happened.text.startswith(
        "<B@a.test> by b1 at 192.0.2.1:25, attempt 1: 451 later; next at 1970-01-01"
    )
    assert "deferred  00/07-00000-00000000 <B@a.test>" in line(happened)


def test_filters_look_at_fields_and_at_the_line() -> None:
    happened = told(FAILED)
    assert Wanted().wants(FAILED, happened)
    assert Wanted(["deferred"], "a.test", "b1", "b@a.test", "451").wants(FAILED, happened)
    for other in (
        Wanted(["delivered"]), Wanted(domain="b.test"), Wanted(binding="b2"),
        Wanted(address="x@a.test"), Wanted(text="550"),
    ):  # fmt: skip
        assert not other.wants(FAILED, happened)


def test_what_is_about_no_message_has_no_id() -> None:
    refused = Rejection(1.0, "192.0.2.9:4", "192.0.2.1:25", 1, "", "", 3, 550, "core", {}, {}, "no")
    assert told(refused) == Happened(1.0, "refused", "192.0.2.9:4 at 192.0.2.1:25: 550 no")
    assert told(ServerEvent(1.0, "reload", "done")).text == "reload: done"


def test_what_came_after_a_crash_is_read_too(tmp_path: Path) -> None:
    """The segment which was written then has no end."""
    shard = tmp_path / "spool" / "000"
    ident = (1 << 63) + 7
    StreamWriter(shard).put(reception(ident))
    StreamWriter(shard).put(delivery(ident))
    hose: Any = SimpleNamespace(state=tmp_path)
    assert len(list((shard / "events").glob("*.seg"))) == 2
    found = ended(life.function(hose, ident))
    assert [each.kind for each in found.page.items] == ["received", "delivered"]


def test_which_messages_were_received_is_told(tmp_path: Path) -> None:
    first, second = (1 << 63) + 5, (1 << 63) + 6
    for shard, ident in (("000", first), ("001", second)):
        StreamWriter(tmp_path / "spool" / shard).put(reception(ident, batch=ident))
    hose: Any = SimpleNamespace(state=tmp_path)
    assert ended(received.function(hose, [first, second, first + 9])) == Batches({first, second})
    assert ended(received.function(hose, [first + 9])) == Batches()
