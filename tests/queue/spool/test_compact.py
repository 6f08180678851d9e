"""Reclaiming the space of settled contents."""

import pytest

from angarium.queue.spool.compact import Budget, sparse
from angarium.queue.spool.slot import unpack
from helpers.disk import MemoryDisk
from helpers.spool import HOME, SMALL, Life


@pytest.fixture
def life() -> Life:
    return Life(MemoryDisk()).start()


def scattered(life: Life, each: int = 8) -> list[int]:
    """Put much, settle most of it: a little is left in every segment."""
    kept = []
    for number in range(10 * each):
        (ident,) = life.put(body=b"%03d" % number * 300)
        if number % each:
            life.deliver(ident)
        else:
            kept.append(ident)
    return kept


def data(life: Life) -> list[str]:
    return [name for name in life.disk.names(f"{HOME}/data") if name.endswith(".seg")]


def test_a_shard_takes_no_more_than_four_times_what_lives_and_two_segments(life: Life) -> None:
    kept = scattered(life)
    life.pass_time(60.0)
    shard = life.keeper().shard
    assert shard is not None
    lives = sum(usage.octets for usage in shard.table.usage.values())
    assert len(data(life)) * SMALL.segment <= 4 * lives + 3 * SMALL.segment
    assert not sparse(shard)
    for number, ident in enumerate(kept):
        assert life.spool.load(ident)[0].body.whole() == b"%03d" % (8 * number) * 300


def test_what_was_moved_survives_a_kill_and_a_power_cut(life: Life) -> None:
    kept = scattered(life)
    for _ in range(12):
        life.pass_time(1.0)
        life = Life(life.kill().power_cut(lambda n: 0)).start()
        assert sorted(life.found) == kept
    assert [life.spool.load(ident)[0].body.size for ident in kept] == [900] * len(kept)


def test_what_cannot_be_moved_keeps_its_segment_and_no_other(life: Life) -> None:
    kept = scattered(life)
    where = unpack(life.spool.live[kept[0]])
    path = f"{HOME}/data/{where.segment:010d}.seg"
    life.disk.damage(path, where.offset + 2, b"\xff" * 9)
    life.pass_time(60.0)
    shard = life.keeper().shard
    assert shard is not None
    assert unpack(life.spool.live[kept[0]])[4:6] == where[4:6]
    assert f"{where.segment:010d}.seg" in data(life)
    for number, ident in list(enumerate(kept))[1:]:
        assert life.spool.load(ident)[0].body.whole() == b"%03d" % (8 * number) * 300
        assert unpack(life.spool.live[ident]).segment > where.segment + 5
    assert not sparse(shard)


def test_only_recipients_that_are_still_there_are_moved(life: Life) -> None:
    idents = life.put(*(f"r{n}@example.org" for n in range(20)), body=b"x" * 500)
    before = unpack(life.spool.live[idents[3]])
    for ident in idents:
        if ident != idents[3]:
            life.deliver(ident)
    for _ in range(20):
        life.deliver(life.put(body=b"y" * 1000)[0])
    life.pass_time(30.0)
    life.keeper().checkpoint(lambda failure: None)
    life.pass_time(1.0)
    after = unpack(life.spool.live[idents[3]])
    assert after.segment > before.segment
    assert life.spool.load(idents[3])[1].address == "r3@example.org"
    assert life.disk.names_cached.get(f"{HOME}/data/{before.segment:010d}.seg") is None


def test_an_entry_that_ends_while_it_is_moved_stays_ended(life: Life) -> None:
    kept = scattered(life)
    keeper = life.keeper()
    for _ in range(200):
        life.pass_time(0.05)
        if keeper.busy and kept:
            life.deliver(kept.pop())
    life.pass_time(10.0)
    assert sorted(life.spool.live) == sorted(kept)
    life = Life(life.kill()).start()
    assert sorted(life.found) == sorted(kept)


def test_a_damaged_content_is_moved_as_it_is_and_told(life: Life) -> None:
    kept = scattered(life)
    slot = unpack(life.spool.live[kept[0]])
    life.disk.damage(f"{HOME}/data/{slot.segment:010d}.seg", slot.offset + 500, b"\xff\xff")
    life.pass_time(60.0)
    assert unpack(life.spool.live[kept[0]]).segment != slot.segment
    assert any("content is damaged" in str(alarm) for alarm in life.alarms)
    life.spool.load(kept[0])


def test_a_failure_leaves_everything_where_it_was(life: Life) -> None:
    kept = scattered(life)
    life.disk.break_down()
    life.pass_time(5.0)
    life.disk.repair()
    life.pass_time(60.0)
    assert [life.spool.load(ident)[0].body.size for ident in kept] == [900] * len(kept)


def test_a_stop_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch, life: Life) -> None:
    monkeypatch.setattr(Budget, "spent", property(lambda _: True))
    kept = scattered(life)
    while not life.keeper().busy:
        life.pass_time(0.5)
    life.pass_time(10.0)
    assert life.keeper().busy
    life.stop()
    assert not life.alarms
    life = Life(life.disk).start()
    assert sorted(life.found) == kept


def left(budget: Budget) -> int:
    """Spend what there is, an octet at a time."""
    octets = 0
    while not budget.spent:
        budget.spend(1)
        octets += 1
    return octets


def test_compaction_has_a_fifth_of_the_writing() -> None:
    budget = Budget(100)
    budget.second(4_000)  # mail wrote it all
    assert left(budget) == 1_000
    budget.second(9_000)  # of which 1,000 were ours
    assert left(budget) == 1_000


def test_on_an_idle_disk_it_has_its_own_rate() -> None:
    budget = Budget(100)
    budget.second(0)
    assert left(budget) == 100
    budget.second(100)
    assert left(budget) == 100
