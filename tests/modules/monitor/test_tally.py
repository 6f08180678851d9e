"""Counts of events by binding and domain."""

from pathlib import Path
from typing import Any

from angarium.events.schema import (
    Delivery,
    Heartbeat,
    PermanentFailure,
    Reception,
    TransientFailure,
)
from angarium.modules.monitor.tally import MOST, Tally, read
from helpers.clock import FakeClock


def event(kind: Any, domain: str = "a.test", binding: str = "one") -> Any:
    values = {
        "at": 1.0, "size": 1, "attempt": 0, "stage": 0, "bytes_sent": 0, "received_at": 1.0,
        "classification": 10, "due": 2.0, "id": 1, "batch": 1, "connection": 1,
        "domain": domain, "group": "bulk", "binding": binding,
    }  # fmt: skip
    return kind(**{name: values.get(name, "") for name in kind.__struct_fields__})


def test_each_event_is_counted_for_its_domain_and_its_binding(tmp_path: Path) -> None:
    tally = Tally(tmp_path / "tally", FakeClock().monotonic)
    kinds = [Reception, Reception, PermanentFailure, Delivery, TransientFailure]
    tally.take([*map(event, kinds), event(Delivery, "b.test"), Heartbeat(1.0)])
    assert tally.counts == {
        ("bulk", "one", ""): [2, 1, 2, 1],
        ("bulk", "one", "a.test"): [2, 1, 1, 1],
        ("bulk", "one", "b.test"): [0, 0, 1, 0],
    }
    assert tally.logs == []
    assert tally.heartbeat == 0.0


def test_what_is_counted_is_read_some_seconds_later(tmp_path: Path) -> None:
    clock, path = FakeClock(), tmp_path / "tally"
    tally = Tally(path, clock.monotonic)
    assert read(path) == {}
    tally.take([event(Delivery)])
    assert read(path) == {
        ("bulk", "one", ""): [0, 0, 1, 0],
        ("bulk", "one", "a.test"): [0, 0, 1, 0],
    }
    tally.take([event(Delivery)])
    assert read(path)["bulk", "one", ""] == [0, 0, 1, 0]
    clock.advance(2.0)
    tally.take([])
    assert read(path)["bulk", "one", ""] == [0, 0, 2, 0]


def test_the_domains_with_the_least_mail_are_forgotten(tmp_path: Path) -> None:
    tally = Tally(tmp_path / "tally", FakeClock().monotonic)
    tally.take([event(Delivery, "busy.test")] * 2)
    tally.take([event(Delivery, f"{n}.test") for n in range(MOST)])
    assert len(tally.counts) <= MOST
    assert tally.counts["bulk", "one", "busy.test"] == [0, 0, 2, 0]
    assert tally.counts["bulk", "one", ""] == [0, 0, MOST + 2, 0]


def test_a_damaged_file_and_a_disk_without_room_cost_the_counts_only(tmp_path: Path) -> None:
    (tmp_path / "tally").write_bytes(b"\xff")
    assert read(tmp_path / "tally") == {}
    Tally(tmp_path / "nowhere" / "tally", FakeClock().monotonic).take([event(Delivery)])
