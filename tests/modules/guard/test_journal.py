"""A map of values as a file: what is read again, whatever has happened to it."""

import asyncio
from pathlib import Path

import pytest

from angarium.modules.guard import journal
from angarium.modules.guard.journal import Journal
from angarium.policy.shared.node import Shared
from helpers.clock import FakeClock
from helpers.guards import until


class Kept:
    """A worker with one map."""

    def __init__(self, folder: Path, number: int = 0, alive: tuple[int, ...] = (0,)) -> None:
        self.told: list[tuple[str, str]] = []
        self.path = folder / "new" / "values"
        self.shared = Shared(FakeClock(), number)
        self.shared.alive = lambda: [(each, 1) for each in alive]
        self.values = self.shared.define_values("v", 10_000)
        self.journal = Journal(
            self.shared, self.values, self.path, asyncio.get_running_loop(),
            lambda level, text: self.told.append((level, text)),
        )  # fmt: skip
        self.journal.start()

    def set(self, *keys: bytes) -> None:
        for each in keys:
            self.values.set(each, each)

    @property
    def keys(self) -> list[bytes]:
        return [each.key for each in self.values.items()]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "WRITE_SECONDS", 0.01)


async def test_what_was_set_is_read_again_the_last_one_counts(tmp_path: Path) -> None:
    before = Kept(tmp_path)
    before.set(b"a", b"b")
    await until(before.path.exists)
    before.values.set(b"a", b"new")
    before.values.unset(b"b")
    before.set(b"c")
    before.journal.stop()
    after = Kept(tmp_path)
    assert after.keys == [b"a", b"c"]
    assert after.values.get(b"a") == b"new"
    after.set(b"d")
    after.journal.stop()
    last = Kept(tmp_path)
    assert last.keys == [b"a", b"c", b"d"]
    last.journal.stop()
    assert before.told == after.told == last.told == []


@pytest.mark.parametrize("spoilt", ["cut", "changed", "more"])
async def test_what_is_damaged_is_left_out_and_told_and_what_follows_is_kept(
    tmp_path: Path, spoilt: str
) -> None:
    before = Kept(tmp_path)
    before.set(b"a")
    before.journal._write(before.values.take_set(), None)
    whole = before.path.read_bytes()
    before.set(b"b")
    before.journal.stop()
    octets = before.path.read_bytes()
    changed = octets[:-1] + bytes([octets[-1] ^ 1])
    damaged = {"cut": octets[:-1], "changed": changed, "more": octets + b"\0" * 20}
    before.path.write_bytes(damaged[spoilt])
    after = Kept(tmp_path)
    assert after.keys == ([b"a", b"b"] if spoilt == "more" else [b"a"])
    assert "is damaged" in after.told[0][1]
    assert after.path.read_bytes() == (octets if spoilt == "more" else whole)
    after.set(b"c")
    after.journal.stop()
    last = Kept(tmp_path)
    assert b"c" in last.keys
    assert last.told == []
    last.journal.stop()


async def test_a_file_which_has_grown_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SMALL", 100)
    kept = Kept(tmp_path)
    for number in range(100):
        kept.values.set(b"k", number)
        kept.journal._write(kept.values.take_set(), None)
    long = kept.path.stat().st_size
    await until(lambda: kept.path.stat().st_size < long / 10)
    kept.journal.stop()
    after = Kept(tmp_path)
    assert after.values.get(b"k") == 99
    after.journal.stop()


async def test_one_worker_writes_and_another_one_takes_over_what_it_had_not(
    tmp_path: Path,
) -> None:
    second = Kept(tmp_path, number=1, alive=(0, 1))
    second.set(b"a")
    await asyncio.sleep(0.05)
    assert not second.path.exists()
    second.shared.alive = lambda: [(1, 1)]
    await until(second.path.exists)
    second.journal.stop()
    after = Kept(tmp_path)
    assert after.keys == [b"a"]
    after.journal.stop()


async def test_who_ends_writes_though_it_is_not_the_first(tmp_path: Path) -> None:
    first, second = (Kept(tmp_path, number, alive=(0, 1)) for number in (0, 1))
    second.set(b"a")  # and the first one ends before it has heard of it
    first.set(b"b")
    first.journal.stop()
    second.journal.stop()
    after = Kept(tmp_path)
    assert sorted(after.keys) == [b"a", b"b"]
    after.journal.stop()
    assert first.told == second.told == after.told == []


async def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("in the way")
    kept = Kept(tmp_path)
    kept.set(b"a")
    kept.journal.stop()
    assert {level for level, _ in kept.told} == {"ERROR"}
