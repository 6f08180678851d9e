"""A shard read as a server would read it, beside that server."""

import asyncio

import pytest

from angarium.core.errors import Error
from angarium.journal.errors import LockedError
from angarium.queue.spool import checkpoint as checkpoints
from angarium.queue.spool.offline import MovedError, opened, read
from helpers.clock import FakeClock
from helpers.damage import copy
from helpers.disk import MemoryDisk
from helpers.spool import HOME, Life


@pytest.fixture
def life() -> Life:
    return Life(MemoryDisk()).start()


def checkpoint(life: Life) -> None:
    before = life.keeper().checkpoints
    life.keeper().checkpoint(lambda failure: None)
    while life.keeper().checkpoints == before:
        life.pass_time(0.01)


def listed(disk: MemoryDisk) -> dict[int, tuple[str, bool]]:
    async def look() -> dict[int, tuple[str, bool]]:
        async with read(disk, HOME, FakeClock()) as shard:
            return {
                ident: (shard.load(ident)[1].address, aside) for ident, _, aside in shard.entries()
            }

    return asyncio.run(look())


def test_it_shows_what_is_queued_while_the_owner_works_and_changes_nothing(life: Life) -> None:
    gone, kept, aside = (life.put(f"{name}@x.test")[0] for name in ("gone", "kept", "aside"))
    checkpoint(life)
    life.deliver(gone)
    life.spool.isolate(aside)
    life.pass_time(0.1)
    before = {path: bytes(file.cached) for path, file in life.disk.names_cached.items()}
    assert listed(life.disk) == {kept: ("kept@x.test", False), aside: ("aside@x.test", True)}
    assert before == {path: bytes(file.cached) for path, file in life.disk.names_cached.items()}
    life.put()  # the owner did not notice


def test_entries_come_in_the_order_of_their_contents(life: Life) -> None:
    idents = [ident for _ in range(5) for ident in life.put("a@x.test", "b@x.test")]
    life.spool.isolate(idents[3])
    life.pass_time(0.1)
    assert list(listed(life.disk)) == idents


def test_it_reads_again_when_the_owner_was_faster(life: Life) -> None:
    idents = [life.put()[0] for _ in range(3)]
    disk = copy(life.disk)
    life.deliver(idents[0])
    checkpoint(life)
    names, turn = disk.names, [0]

    def slowly(path: str) -> list[str]:
        turn[0] += path.endswith("/state")
        if turn[0] == 1:  # while it reads
            turn[0] += 1
            disk.names_cached = life.disk.names_cached
        return names(path)

    disk.names = slowly  # type: ignore[method-assign]
    assert list(listed(disk)) == idents[1:]


def test_it_gives_up_where_nothing_stays(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    life.put()
    turn = iter(range(1000))
    monkeypatch.setattr(checkpoints, "newest", lambda names: next(turn))
    with pytest.raises((MovedError, Error)):
        listed(life.disk)


def test_what_is_opened_for_changes_is_locked_and_closed_in_order(life: Life) -> None:
    (ident,) = life.put()

    async def isolate() -> str:
        async with opened(life.disk, HOME, FakeClock()) as shard:
            shard.spool.isolate(ident)
            return shard.flaw(ident)

    with pytest.raises(LockedError):
        asyncio.run(isolate())
    life.stop()
    assert asyncio.run(isolate()) == ""
    assert Life(life.disk).start().spool.isolated() == [ident]
