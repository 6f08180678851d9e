"""The spool as the rest of the product sees it."""

import asyncio
from dataclasses import replace

import pytest

from angarium.core.body import MemoryBody
from angarium.core.ident import shard_of
from angarium.core.lane import lane_of
from angarium.core.message import Message, Recipient
from angarium.events.schema import Discard, Rejection
from angarium.journal.errors import ColdError, LockedError, SpoolError
from angarium.queue.spool.shard import REJECTIONS_HELD
from angarium.queue.spool.slot import lane_in
from angarium.queue.spool.table import NoEntryError
from helpers.disk import MemoryDisk
from helpers.spool import HOME, SMALL, Life


@pytest.fixture
def life() -> Life:
    return Life(MemoryDisk()).start()


def test_a_message_comes_back_as_it_was_put(life: Life) -> None:
    message, recipients = life.begin("a@example.org", "b@example.net", body=b"one\r\ntwo\r\n")
    message.variables["tenant"] = "7"
    life.put()
    for recipient in recipients:
        loaded, target = life.spool.load(recipient.id)
        assert target == recipient
        assert loaded.body.whole() == b"one\r\ntwo\r\n"
        assert (loaded.header, loaded.size) == (b"Received: x\r\n", message.size)
        assert (loaded.batch, loaded.place) == (message.batch, message.place)


def test_nothing_is_durable_before_the_disk_says_so(life: Life) -> None:
    message, recipients = life.begin()
    assert recipients[0].id > message.batch > 0
    assert recipients[0].id not in life.spool.live
    assert id(message) not in life.outcomes
    life.pass_time(0.01)
    assert life.outcomes[id(message)] is None
    assert recipients[0].id in life.spool.live


def test_a_large_body_which_is_not_put_after_all_leaves_no_file(life: Life) -> None:
    writer = life.spool.large()
    writer.write(b"x" * 300_000)
    message = Message("sender@example.com", writer.finish())
    life.pass_time(0.01)
    assert life.disk.names(f"{HOME}/large")
    life.spool.forget(message)
    life.pass_time(0.01)
    assert life.disk.names(f"{HOME}/large") == []


def test_what_waits_while_the_disk_is_busy_shares_one_sync() -> None:
    life = Life(MemoryDisk(), replace(SMALL, segment=1 << 20)).start()
    life.put()
    life.pass_time(2.0)
    before = life.disk.syncs
    for _ in range(50):
        life.begin()
    life.pass_time(0.05)
    assert all(error is None for error in life.outcomes.values())
    assert life.disk.syncs - before == 1


def test_an_entry_survives_a_kill_with_its_schedule_and_route(life: Life) -> None:
    (ident,) = life.put("a@example.org")
    life.spool.defer(ident, 3, 1_700_001_000, None)
    life.spool.rebind(ident, "group", "other", "example.net", None)
    life.pass_time(0.01)
    life = Life(life.kill()).start()
    slot = life.spool.slot(ident)
    assert (slot.attempts, slot.due) == (3, 1_700_001_000)
    assert life.spool.routes.key(slot.route) == ("group", "other", "example.net")
    assert life.found.keys() == {ident}


@pytest.mark.parametrize("clean", [False, True])
def test_an_entry_keeps_its_lane_whatever_happens_to_it(life: Life, clean: bool) -> None:
    plain, *keyed = [
        *life.put("a@example.org"),
        *life.put("b@example.org", "c@example.org", key="acme", priority=1),
    ]
    lane = lane_of(1, "acme")
    for _ in range(3):  # Told by the record, then by a checkpoint, then by one made of that.
        assert {ident: lane_in(life.spool.live[ident]) for ident in (plain, *keyed)} == {
            plain: 0, keyed[0]: lane, keyed[1]: lane,
        }  # fmt: skip
        life.spool.defer(keyed[0], 3, 1_700_001_000, None)
        life.spool.rebind(keyed[0], "group", "other", "example.net", None)
        life.pass_time(0.01)
        if clean:
            life.stop()
        life = Life(life.disk if clean else life.kill()).start()
        assert lane_in(life.found[keyed[0]]) == lane
    message, _ = life.spool.load(keyed[1])
    assert (message.fairness_key, message.priority, message.lane) == ("acme", 1, lane)
    assert life.spool.load(plain)[0].lane == 0


def test_a_settled_entry_does_not_come_back(life: Life) -> None:
    idents = life.put("a@example.org", "b@example.org", "c@example.org")
    life.deliver(idents[0])
    life.bounce(idents[1])
    life.pass_time(0.01)
    life = Life(life.kill()).start()
    assert list(life.found) == [idents[2]]
    assert life.spool.counts() == {
        "created": 3, "delivered": 1, "bounced": 1, "expired": 0, "discarded": 0,
        "transferred": 0, "queued": 1, "quarantined": 0,
    }  # fmt: skip


def test_an_entry_ends_once(life: Life) -> None:
    (ident,) = life.put()
    life.deliver(ident)
    with pytest.raises(NoEntryError):
        life.deliver(ident)
    with pytest.raises(NoEntryError):
        life.spool.load(ident)


def test_a_clean_stop_leaves_nothing_to_replay(life: Life) -> None:
    idents = life.put("a@example.org", "b@example.org")
    life.deliver(idents[0])
    life.stop()
    life = Life(life.disk).start()
    assert list(life.found) == [idents[1]]
    assert life.spool.counts()["created"] == 2
    assert not life.alarms


def test_ids_go_on_rising_when_the_clock_was_set_back(life: Life) -> None:
    idents = [*life.put(), *life.put()]
    life = Life(life.kill(), start=1_600_000_000.0).start()
    idents += [*life.put(), *life.put()]
    life.stop()
    life = Life(life.disk, start=1_500_000_000.0).start()
    idents += life.put()
    assert idents == sorted(set(idents))


def test_a_discard_is_an_end_like_others(life: Life) -> None:
    (ident,) = life.put()
    event = Discard(
        1.0, ident, 1, 0, 0, "a@b.example", "", "b.example", 10, "default", "default", 1.0, "hole"
    )
    life.spool.settle(ident, event)
    assert life.spool.counts()["discarded"] == 1


def test_an_isolated_entry_is_kept_counted_and_not_worked_on(life: Life) -> None:
    (ident,) = life.put()
    life.spool.isolate(ident)
    life.pass_time(0.01)
    life = Life(life.kill()).start()
    assert not life.found
    assert life.spool.isolated() == [ident]
    assert (life.spool.counts()["queued"], life.spool.counts()["quarantined"]) == (0, 1)
    assert life.spool.load(ident)[1].id == ident
    life.stop()
    life = Life(life.disk).start()
    life.spool.restore(ident)
    assert list(life.found) == [ident]
    life.deliver(ident)


def test_a_shard_is_one_workers(life: Life) -> None:
    other = Life(life.disk)
    with pytest.raises(LockedError):
        other.start()


def test_a_shard_is_adopted_while_mail_goes_on(life: Life) -> None:
    dead = Life(life.disk).start("/spool/001")
    idents = dead.put("a@example.org", "b@example.org")
    dead.deliver(idents[0])
    dead.pass_time(0.01)
    dead.loop.close()
    life.disk.locked.clear()  # as the kernel does it
    mine = life.put()
    life.run(life.spool.adopt("/spool/001"))
    mine += life.put()
    assert list(life.found) == [idents[1]]
    assert life.spool.drained() == []
    assert life.spool.counts()["created"] == 4
    assert {shard_of(ident) for ident in mine} == {0}
    life.disk.break_down()
    life.deliver(idents[1])
    life.pass_time(2.0)
    assert life.spool.drained() == []  # Its next owner would find it once more.
    life.disk.repair()
    life.pass_time(2.0)
    assert life.spool.drained() == ["/spool/001"]
    life.run(life.spool.release("/spool/001"))
    assert sorted(life.spool.live) == sorted(mine)
    again = Life(life.disk).start("/spool/001")
    assert again.spool.counts()["delivered"] == 2


def test_a_spool_is_closed_while_an_empty_shard_is_released(life: Life) -> None:
    async def both() -> None:
        await life.spool.adopt("/spool/001")
        await asyncio.gather(life.spool.close(), life.spool.release("/spool/001"))

    life.run(both())
    assert not life.spool.keepers
    assert life.disk.lock("/spool/001/lock") is not None


@pytest.mark.parametrize("turns", range(12))
def test_a_spool_is_closed_while_a_shard_is_opened(life: Life, turns: int) -> None:
    async def interrupted() -> None:
        adopting = asyncio.ensure_future(life.spool.adopt("/spool/001"))
        for _ in range(turns):
            await asyncio.sleep(0)
        adopting.cancel()
        await asyncio.gather(adopting, return_exceptions=True)
        await life.spool.close()

    life.run(interrupted())
    assert not life.spool.keepers


def test_mail_is_taken_while_recovery_goes_on() -> None:
    life = Life(MemoryDisk()).start()
    old = [*life.put("a@example.org", "b@example.org"), *life.put()]
    life = Life(life.kill())
    life.run(life.spool.open(HOME))
    message, recipients = life.begin()
    life.run(life.spool.recovered())
    life.pass_time(0.01)
    assert life.outcomes[id(message)] is None
    assert sorted(life.spool.live) == sorted([*old, recipients[0].id])
    assert sorted(life.found) == sorted(old)


def test_reading_need_not_wait_for_the_device(life: Life) -> None:
    (ident,) = life.put()
    life.disk.cold = True
    with pytest.raises(ColdError):
        life.spool.load(ident, cached=True)
    assert life.run(life.spool.load_cold(ident))[1].id == ident


def test_a_closed_spool_takes_no_mail(life: Life) -> None:
    life.run(life.spool.close())
    assert not life.spool.intake
    told: list[object] = []
    message = Message("", MemoryBody(b"x"))
    life.spool.put(message, [Recipient("a@b.example", "b.example")], told.append)
    life.pass_time(0.01)
    assert isinstance(told[0], SpoolError)


def test_rejections_which_the_disk_does_not_take_in_time_are_counted_and_not_kept(
    life: Life,
) -> None:
    event = Rejection(1.0, "192.0.2.9:25", "", 1, "", "", 4, 550, "core", {}, {}, "no")
    for _ in range(REJECTIONS_HELD + 3):
        life.spool.reject(event)
    (shard,) = life.spool.status()["shards"].values()
    assert shard["rejections_lost"] == 3
    life.pass_time(0.1)
    life.spool.reject(event)
    (shard,) = life.spool.status()["shards"].values()
    assert shard["rejections_lost"] == 3


def test_no_mail_is_taken_while_too_many_events_wait_for_recovery(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("angarium.queue.spool.shard.EVENTS_HELD", 500)
    shard = life.keeper().shard
    assert shard is not None
    shard._emit_held = []  # as until the events of the last run are told
    assert len(life.put("a@example.org", "b@example.org", "c@example.org", "d@example.org")) == 4
    message, _ = life.begin()
    life.pass_time(0.01)
    assert "too much waits" in str(life.outcomes[id(message)])
    shard.release_events()
    assert len(life.put()) == 1
