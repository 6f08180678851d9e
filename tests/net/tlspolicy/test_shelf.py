"""Policies on disk: kept whole, read by anybody, never trusted when damaged."""

from pathlib import Path

import pytest

from angarium.net.tlspolicy.shelf import MOST_OCTETS, Kept, Shelf
from angarium.net.tlspolicy.sts import Mode, Policy

LINES = ("version: STSv1", "mode: enforce", "mx: mx.example.com", "max_age: 100")
KEPT = Kept("example.com", "1", 1000.0, LINES)


def test_a_policy_which_is_kept_is_there_for_the_next_worker(tmp_path: Path) -> None:
    Shelf(tmp_path / "sts").save(KEPT)
    kept = Shelf(tmp_path / "sts").load("example.com")
    assert kept == KEPT
    assert kept.policy == Policy(Mode.ENFORCE, 100, ("mx.example.com",))
    assert kept.expires() == 1100.0
    assert [each.name for each in (tmp_path / "sts").iterdir()] == ["example.com.json"]


def test_what_is_not_kept_is_not_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "sts")
    assert shelf.load("example.com") is None
    assert list(shelf.all()) == []


def test_all_are_told_in_order_and_can_be_removed(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for name in ("b.example", "a.example"):
        shelf.save(Kept(name, "1", 0.0, LINES))
    assert [each.domain for each in shelf.all()] == ["a.example", "b.example"]
    shelf.remove("a.example")
    shelf.remove("a.example")
    assert [each.domain for each in shelf.all()] == ["b.example"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b'{"domain":"other.example","id":"1","fetched":1,"lines":[]}',
     b" " * (MOST_OCTETS + 1)],
)  # fmt: skip
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "example.com.json").write_bytes(content)
    assert Shelf(tmp_path).load("example.com") is None
    assert list(Shelf(tmp_path).all()) == []


@pytest.mark.parametrize("name", ["../secret", "a/b", "", "a..b", "x" * 254])
def test_what_is_no_name_leads_to_no_file(tmp_path: Path, name: str) -> None:
    assert Shelf(tmp_path).load(name) is None


def test_lines_which_are_no_policy_demand_nothing() -> None:
    assert Kept("example.com", "1", 0.0, ("what",)).policy == Policy(Mode.NONE, 0)
