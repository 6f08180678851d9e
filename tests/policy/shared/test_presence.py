from angarium.policy.shared.blocks import packed
from angarium.policy.shared.presence import Presence

A, B = packed("10.0.0.1"), packed("10.0.0.2")


def made() -> Presence:
    return Presence("sessions", lambda _table: None)


def test_what_is_there_is_counted_by_address_and_block() -> None:
    here = made()
    here.add(A, 1)
    here.add(A, 1)
    here.add(B, 1)
    assert (here.count(A), here.count(A, 24), here.total()) == (2, 3, 3)
    here.add(A, -1)
    here.add(B, -1)
    assert (here.count(A), here.count(A, 24), here.total()) == (1, 1, 1)


def test_what_is_not_there_any_more_takes_no_memory_anywhere() -> None:
    here, there = made(), made()
    for number in range(1000):
        key = number.to_bytes(4, "big")
        here.add(key, 1)
        there.merge((0, 1), here.changes())
        here.add(key, -1)
        there.merge((0, 1), here.changes())
    for each in (here._window, there._window):
        assert not each.totals
        assert not each.own
        assert not any(each.columns.values())


def test_what_a_dead_worker_had_is_not_there() -> None:
    here, there = made(), made()
    here.add(A, 1)
    there.add(A, 1)
    there.merge((0, 1), here.changes())
    assert there.count(A) == 2
    there.gone((0, 1))
    assert there.count(A) == 1
    assert list(there.others()) == []


def test_a_new_worker_is_told_by_each() -> None:
    here, new = made(), made()
    here.add(A, 3)
    for entries in here.own():
        new.merge((0, 1), entries)
    assert new.count(A) == 3
