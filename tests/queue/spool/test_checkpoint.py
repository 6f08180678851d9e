"""All that lives, in one file."""

from collections.abc import Callable
from random import Random

import pytest

from angarium.journal.errors import DamageError
from angarium.queue.spool.checkpoint import (
    DIRECTORY,
    ROWS,
    Meta,
    Reader,
    Writer,
    drafts,
    name_of,
    newest,
)
from angarium.queue.spool.parts import PLACES
from angarium.queue.spool.routes import Key, Routes
from angarium.queue.spool.slices import Until, Work
from angarium.queue.spool.slot import Slot, with_route
from angarium.queue.spool.table import Table
from helpers.disk import MemoryDisk

META = Meta(7, 3, 40, 9, [5, 1, 0, 0, 0, 0], 99, 1.5, (8, 40, 9, 1), (2, 3, 1, 0))


class Setting:
    """A table of some entries, and a checkpoint of it."""

    def __init__(self, entries: int) -> None:
        self.disk = MemoryDisk()
        self.disk.make_dir(f"/{DIRECTORY}")
        self.routes = Routes()
        self.table = Table(self.routes)
        for ident in range(1, entries + 1):
            self.add(ident)

    def add(self, ident: int) -> None:
        route = self.routes.hold(("g", "b", f"d{ident % 7}.example"))
        self.table.add(ident, Slot(route, ident, 1, 0, 1, 128, 60, 10).pack())

    @property
    def first_part(self) -> dict[int, bytes]:
        return self.table.live.parts[0]

    def writer(self) -> Writer:
        return Writer(self.disk, f"/{DIRECTORY}", 4, META, self.table, self.routes, Random(1))

    def write(self, meanwhile: Callable[[int], None] = lambda _: None) -> None:
        writer = self.writer()
        run(writer.write(), meanwhile)
        run(writer.name(), meanwhile)

    def read(self) -> tuple[dict[int, tuple[bytes, Key]], set[int], Reader]:
        found: dict[int, tuple[bytes, Key]] = {}
        aside: set[int] = set()

        def take(rows: list[tuple[int, bytes]], keys: dict[int, Key], isolated: bool) -> None:
            for ident, slot in rows:
                found[ident] = (with_route(slot, 0), keys[int.from_bytes(slot[:4], "little")])
                if isolated:
                    aside.add(ident)

        reader = Reader(self.disk, f"/{DIRECTORY}/{name_of(4)}")
        for _ in reader.entries(take):
            pass
        reader.close()
        return found, aside, reader


def run(work: Work, meanwhile: Callable[[int], None] = lambda _: None) -> None:
    """Run work as `Slices` would; `meanwhile` is what others do between its steps."""
    result, step = None, 0
    while True:
        try:
            job = work.send(result)
        except StopIteration:
            return
        assert not isinstance(job, Until)
        result = job() if job is not None else None
        step += 1
        meanwhile(step)


def test_entries_come_back_with_the_names_of_their_routes() -> None:
    s = Setting(3 * ROWS + 5)
    s.table.isolate(6)
    s.write()
    found, aside, reader = s.read()
    assert reader.meta == META
    assert not reader.damaged
    assert found.keys() == set(range(1, 3 * ROWS + 6))
    assert aside == {6}
    assert all(key == ("g", "b", f"d{ident % 7}.example") for ident, (_, key) in found.items())


def test_an_empty_shard_has_a_checkpoint_too() -> None:
    s = Setting(0)
    s.write()
    found, _, reader = s.read()
    assert (found, reader.damaged) == ({}, False)


def test_it_is_none_before_it_has_its_name() -> None:
    s = Setting(5)
    run(s.writer().write())
    assert newest(s.disk.names(f"/{DIRECTORY}")) == 0
    assert list(drafts(s.disk.names(f"/{DIRECTORY}"))) == [f"{name_of(4)}.new"]


def test_a_named_checkpoint_survives_a_power_cut() -> None:
    s = Setting(5)
    s.write()
    s.disk = s.disk.power_cut(lambda n: 0)
    assert len(s.read()[0]) == 5


def test_a_number_which_changes_its_route_meanwhile_is_told_apart() -> None:
    """An entry ends, its route's number is given to another: each row has the name it had."""
    s = Setting(0)
    idents = range(2 * ROWS)
    first = {ident for ident in idents if s.table.live.places[ident % PLACES] is s.first_part}
    for name, some in (("first", first), ("last", set(idents) - first)):
        for ident in some:
            route = s.routes.hold(("g", "b", f"{name}.example"))
            s.table.add(ident, Slot(route, 0, 0, 0, 1, 128, 60, 10).pack())
    other = max(set(idents) - first)

    def meanwhile(step: int) -> None:
        if step == 3:  # the first part is written
            for ident in first:
                s.table.remove(ident)
            s.table.reroute(other, s.routes.hold(("g", "b", "new.example")))

    s.write(meanwhile)
    found, _, _ = s.read()
    assert {found[ident][1][2] for ident in first} == {"first.example"}
    assert found.pop(other)[1][2] == "new.example"
    assert {found[ident][1][2] for ident in found.keys() - first} == {"last.example"}


@pytest.mark.parametrize("part", [0, -1])
def test_an_entry_put_aside_meanwhile_is_in_it(part: int) -> None:
    """Whether its part was listed before or is listed after that."""
    s = Setting(2 * ROWS)
    ident = next(iter(s.table.live.parts[part]))
    s.write(lambda step: s.table.isolate(ident) if step == 3 else None)
    found, aside, _ = s.read()
    assert (len(found), aside) == (2 * ROWS, {ident})


@pytest.mark.parametrize("part", [0, -1])
def test_an_entry_let_free_meanwhile_is_in_it(part: int) -> None:
    s = Setting(2 * ROWS)
    ident = next(iter(s.table.live.parts[part]))
    s.table.isolate(ident)

    def let_free(step: int) -> None:
        if step == 3:
            s.table.restore(ident)

    s.write(let_free)
    assert s.read()[0].keys() == set(range(1, 2 * ROWS + 1))


def test_what_was_put_since_the_beginning_is_left_to_the_log() -> None:
    s = Setting(2 * ROWS)
    s.write(lambda step: s.add(10_000 + step))
    assert s.read()[0].keys() == set(range(1, 2 * ROWS + 1))


def test_damage_in_the_middle_is_noticed() -> None:
    s = Setting(3 * ROWS)
    s.write()
    s.disk.damage(f"/{DIRECTORY}/{name_of(4)}", 40_000, b"\xff\xff")
    found, _, reader = s.read()
    assert reader.damaged
    assert len(found) >= ROWS


def test_a_checkpoint_that_was_cut_off_is_damaged() -> None:
    s = Setting(3 * ROWS)
    s.write()
    file = s.disk.names_cached[f"/{DIRECTORY}/{name_of(4)}"]
    del file.cached[-40:]
    assert s.read()[2].damaged


@pytest.mark.parametrize("offset", [3, 140])
def test_without_its_beginning_it_says_nothing(offset: int) -> None:
    s = Setting(5)
    s.write()
    s.disk.damage(f"/{DIRECTORY}/{name_of(4)}", offset, b"\xff\xff")
    with pytest.raises(DamageError):
        s.read()
