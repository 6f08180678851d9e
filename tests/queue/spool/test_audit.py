"""The account of a shard: true at every moment, and false when something was lost."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.ident import printed
from angarium.journal.errors import DamageError
from angarium.queue.spool.audit import MovedError, audit
from helpers.disk import MemoryDisk
from helpers.spool import HOME, Life, failure


@pytest.fixture
def life() -> Life:
    return Life(MemoryDisk()).start()


def listed(life: Life) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}

    def entry(ident: int, state: str, address: str) -> None:
        found[ident] = state, address

    audit(life.disk, HOME, entry)
    return found


def checkpoint(life: Life) -> None:
    before = life.keeper().checkpoints
    life.keeper().checkpoint(lambda failure: None)
    while life.keeper().checkpoints == before:
        life.pass_time(0.01)


def test_every_entry_is_in_one_state(life: Life) -> None:
    idents = life.put("a@example.org", "b@example.net", "c@example.org", "d@example.org")
    life.deliver(idents[0])
    life.bounce(idents[1])
    life.spool.settle(idents[2], failure(idents[2], "expired"))
    life.pass_time(0.01)
    account = audit(life.disk, HOME)
    assert account.sound, account.faults
    assert account.accepted == account.told == 4
    assert dict(account.ends) == {
        "queued": 1, "quarantined": 0, "delivered": 1, "bounced": 1, "expired": 1,
        "discarded": 0, "transferred": 0,
    }  # fmt: skip


def test_who_asks_gets_each_entry_with_its_recipient(life: Life) -> None:
    first, second, third = life.put("a@example.org", "b@example.net", "c@example.org")
    life.deliver(first)
    life.spool.isolate(third)
    life.pass_time(0.01)
    assert listed(life) == {
        first: ("delivered", "r@example.org"),  # as the event of this test has it
        second: ("queued", "b@example.net"),
        third: ("quarantined", "c@example.org"),
    }


def test_what_was_quarantined_may_come_back(life: Life) -> None:
    (ident,) = life.put("a@example.org")
    life.spool.isolate(ident)
    life.pass_time(0.01)
    assert audit(life.disk, HOME).ends["quarantined"] == 1
    checkpoint(life)
    assert audit(life.disk, HOME).ends["quarantined"] == 1
    life.spool.restore(ident)
    life.pass_time(0.01)
    account = audit(life.disk, HOME)
    assert account.sound
    assert (account.ends["quarantined"], account.ends["queued"]) == (0, 1)


def test_a_checkpoint_and_a_clean_stop_change_nothing(life: Life) -> None:
    idents = [ident for _ in range(30) for ident in life.put()]
    for ident in idents[::2]:
        life.deliver(ident)
    checkpoint(life)
    for ident in idents[1::4]:
        life.bounce(ident)
    life.pass_time(0.01)
    before = audit(life.disk, HOME)
    life.stop()
    account = audit(life.disk, HOME, bodies=True)
    assert account.sound, account.faults
    assert (account.accepted, account.ends) == (before.accepted, before.ends)


def test_an_entry_that_vanished_is_named(life: Life) -> None:
    (ident,) = life.put("a@example.org")
    life.pass_time(0.01)
    del life.keeper().shard.table.live[ident]  # type: ignore[union-attr]
    checkpoint(life)
    account = audit(life.disk, HOME)
    assert not account.sound
    assert f"{printed(ident)} was accepted and is nowhere" in account.faults


def test_two_ends_of_one_entry_are_named(life: Life) -> None:
    (ident,) = life.put("a@example.org")
    slot = life.spool.live[ident]
    life.deliver(ident)
    shard = life.keeper().shard
    assert shard is not None
    shard.means.routes.hold(("default", "default", "example.org"))
    shard.table.add(ident, slot)
    life.bounce(ident)
    life.pass_time(0.01)
    faults = audit(life.disk, HOME).faults
    assert f"{printed(ident)} ended twice" in faults
    assert f"{printed(ident)} is delivered and was told as bounced" in faults


def test_queued_means_that_it_can_be_read(life: Life) -> None:
    (ident,) = life.put("a@example.org", body=b"x" * 500)
    life.pass_time(0.01)
    where = life.spool.slot(ident)
    path = f"{HOME}/data/{where.segment:010d}.seg"
    at = life.disk.content(path).find(b"x" * 500)
    life.disk.damage(path, at, b"y")
    assert audit(life.disk, HOME).sound  # the envelope is
    account = audit(life.disk, HOME, bodies=True)
    assert any(printed(ident) in each for each in account.faults)
    with pytest.raises(DamageError):
        life.spool.load(ident)[0].body.whole()


def test_it_reads_again_when_the_owner_was_faster(life: Life) -> None:
    idents = [ident for _ in range(5) for ident in life.put()]
    names, turn = life.disk.names, [0]

    def slowly(path: str) -> list[str]:
        turn[0] += 1
        if turn[0] == 3:  # between the two looks
            life.deliver(idents[0])
            checkpoint(life)
        return names(path)

    life.disk.names = slowly  # type: ignore[method-assign]
    account = audit(life.disk, HOME)
    assert account.sound, account.faults
    assert account.ends["delivered"] == 1


def test_it_gives_up_where_nothing_stays(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    life.put()

    def gone(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("angarium.queue.spool.audit.take", gone)
    with pytest.raises(MovedError):
        audit(life.disk, HOME)


def test_a_shard_killed_again_and_again_is_not_taken_for_damaged(life: Life) -> None:
    for turn in range(4):
        life.put()
        life.pass_time(2.0)
        life = Life(life.kill(), seed=turn, start=life.loop.time()).start()
        assert life.alarms == []
        assert audit(life.disk, HOME).sound


@given(st.integers(0, 2**32))
def test_the_account_holds_at_any_moment_of_any_life(seed: int) -> None:
    random = Random(seed)
    life = Life(MemoryDisk()).start()
    for _ in range(40):
        live = list(life.spool.live)
        match random.randrange(9):
            case 0 | 1 | 2:
                life.begin(*(f"r{n}@example.org" for n in range(random.randrange(1, 4))))
            case 3 | 4 if live:
                life.deliver(random.choice(live))
            case 5 if live:
                life.bounce(random.choice(live))
            case 6 if live:
                life.spool.isolate(random.choice(live))
            case 7:
                life.pass_time(random.choice((0.001, 0.01, 2.0)))
            case 8 if random.random() < 0.3:
                disk = life.kill()
                life = Life(disk, seed=random.randrange(1000), start=life.loop.time()).start()
        account = audit(life.disk, HOME, bodies=True)
        assert account.sound, (account.faults, account.accepted, account.ends)


def test_who_ended_twice_for_a_power_cut_is_counted_and_no_fault() -> None:
    life = Life(MemoryDisk()).start()
    (ident,) = life.put()
    life.pass_time(2.5)
    life.deliver(ident)
    life.pass_time(0.01)
    disk = life.kill()
    for path, file in disk.names_cached.items():
        if "/state/" in path:  # the event has reached the device, and the record of the end not
            file.cached[:] = file.durable
            file.pending.clear()
    life = Life(disk).start()
    assert audit(disk, HOME).repeated == 1  # it will be sent once more
    life.bounce(ident)
    life.pass_time(0.05)
    found = audit(disk, HOME)
    assert found.sound
    assert found.repeated == 1
    assert (found.ends["bounced"], found.ends["delivered"]) == (1, 0)
