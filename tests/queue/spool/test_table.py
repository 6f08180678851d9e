"""What lives, in memory."""

import pytest

from angarium.queue.spool.parts import Parts
from angarium.queue.spool.routes import Routes
from angarium.queue.spool.slot import LARGE, SHARED, Slot, unpack
from angarium.queue.spool.table import OVERHEAD, Live, NoEntryError, Table, key_of

KEY = ("default", "default", "a.example")


@pytest.fixture
def table() -> Table:
    return Table(Routes())


def add(table: Table, ident: int, *, segment: int = 1, offset: int = 128, flags: int = 0) -> bytes:
    route = table._routes.hold(KEY)
    slot = Slot(route, 0, 0, flags, segment, offset, 60, 1000).pack()
    table.add(ident, slot)
    return slot


def test_an_entry_occupies_its_segment_until_it_ends(table: Table) -> None:
    add(table, 1)
    usage = table.usage[1]
    assert (usage.entries, usage.octets) == (1, 1000 + OVERHEAD)
    assert table.remove(1) == 0
    assert (usage.entries, usage.octets) == (0, 0)
    assert table._routes.find(KEY) is None


def test_a_shared_content_is_counted_once(table: Table) -> None:
    for ident in (1, 2, 3):
        add(table, ident, flags=SHARED)
    usage = table.usage[1]
    assert (usage.entries, usage.octets) == (3, 1000 + OVERHEAD)
    table.remove(2)
    table.remove(1)
    assert usage.octets == 1000 + OVERHEAD
    table.remove(3)
    assert usage.octets == 0


def test_a_large_body_is_free_when_its_last_entry_ends(table: Table) -> None:
    table.files[key_of(1, 128)] = 77
    add(table, 1, flags=LARGE | SHARED)
    add(table, 2, flags=LARGE | SHARED)
    assert table.usage[1].octets == OVERHEAD, "the body is not in the segment"
    assert table.remove(1) == 0
    assert table.remove(2) == 77
    assert not table.files


def test_a_moved_content_takes_its_file_along(table: Table) -> None:
    table.files[key_of(1, 128)] = 77
    add(table, 1, flags=LARGE)
    assert table.at(1, 1, 128)
    table.move(1, 5, 256, 70)
    assert not table.at(1, 1, 128)
    assert (unpack(table.live[1]).segment, unpack(table.live[1]).recipient) == (5, 70)
    assert (table.usage[1].entries, table.usage[5].entries) == (0, 1)
    assert table.remove(1) == 77


def test_times_and_routes_change(table: Table) -> None:
    add(table, 1)
    table.time(1, 500, 2)
    table.reroute(1, table._routes.hold(("g", "b", "other.example")))
    slot = unpack(table.live[1])
    assert (slot.due, slot.attempts) == (500, 2)
    assert table._routes.key(slot.route) == ("g", "b", "other.example")
    assert table._routes.find(KEY) is None


def test_an_isolated_entry_is_not_live_but_there(table: Table) -> None:
    slot = add(table, 1)
    table.isolate(1)
    assert len(table) == 0
    assert table.at(1, 1, 128)
    assert table.usage[1].entries == 1
    table.move(1, 2, 128, 60)
    assert table.restore(1) != slot
    table.isolate(1)
    table.remove(1)
    assert table.usage[2].entries == 0


def test_what_is_not_there_is_said_to_be_missing(table: Table) -> None:
    for act in (
        lambda: table.remove(9), lambda: table.time(9, 1, 1), lambda: table.isolate(9),
        lambda: table.restore(9), lambda: table.reroute(9, 0),
    ):  # fmt: skip
        with pytest.raises(NoEntryError):
            act()


def test_the_shards_of_a_worker_look_like_one_table() -> None:
    live, first, second = Live(), Parts(), Parts()
    first[1], second[1 << 24 | 5] = b"a", b"b"
    live.attach(0, first)
    live.attach(1, second)
    assert (live[1], live.get(1 << 24 | 5), live.get(7)) == (b"a", b"b", None)
    assert (len(live), list(live)) == (2, [1, 1 << 24 | 5])
    assert 1 in live
    live.detach(1)
    assert (len(live), 1 << 24 | 5 in live) == (1, False)
