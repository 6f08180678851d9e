"""Rows are found by their key, and say who is next."""

import os

from angarium.queue.rows import BUCKET, DIGEST, Table, digest_of, size_of


def table(workers: int = 3, rows: int = 64) -> Table:
    descriptor = os.memfd_create("rows")
    os.ftruncate(descriptor, size_of(workers, rows))
    return Table(descriptor, workers, rows)


def test_a_row_is_found_in_the_bucket_of_its_key_and_nowhere_else() -> None:
    rows = table()
    digest = digest_of("k")
    assert rows.find(digest) == -1
    first = rows.bucket(digest)
    rows.name(first + 3, digest)
    assert rows.find(digest) == first + 3
    assert rows.digest(first + 3) == digest
    assert first % BUCKET == 0
    assert len(digest) == DIGEST


def test_the_next_is_who_holds_fewest_and_waits_longest() -> None:
    rows = table()
    assert rows.first(5) == -1
    rows.since[0][5], rows.counts[0][5] = 100, 2
    rows.since[1][5] = 300
    rows.since[2][5] = 200
    assert rows.first(5) == 2
    rows.counts[2][5] = 1
    assert rows.first(5) == 1


def test_a_row_in_use_is_known() -> None:
    rows = table()
    assert rows.unused(5, 100)
    rows.next[5] = 101
    assert not rows.unused(5, 100)
    rows.next[5] = rows.counts[1][5] = 1
    assert not rows.unused(5, 100)
