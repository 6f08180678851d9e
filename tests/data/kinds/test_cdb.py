"""Constant databases."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.data.errors import StatementError
from angarium.data.kinds.cdb import hashed, values
from helpers.databank import those
from helpers.databases import asking

PAIR = struct.Struct("<II")


def written(records: list[tuple[bytes, bytes]]) -> bytes:
    """Return a database, as https://cr.yp.to/cdb/cdb.txt has it."""
    body, tables = b"", [list[tuple[int, int]]() for _ in range(256)]
    for key, value in records:
        hash_ = hashed(key)
        tables[hash_ % 256].append((hash_, 2048 + len(body)))
        body += PAIR.pack(len(key), len(value)) + key + value
    head = b""
    for table in tables:
        slots = [(0, 0)] * (2 * len(table))
        for hash_, place in table:
            slot = (hash_ >> 8) % len(slots)
            while slots[slot][1]:
                slot = (slot + 1) % len(slots)
            slots[slot] = (hash_, place)
        head += PAIR.pack(2048 + len(body), len(slots))
        body += b"".join(PAIR.pack(*each) for each in slots)
    return head + body


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = tmp_path / "list.cdb"
    path.write_bytes(written([(b"example.com", b"one"), (b"b", b"\xfc"), (b"example.com", b"two")]))
    return str(path)


def test_the_hash_is_the_one_of_the_specification() -> None:
    assert hashed(b"") == 5381
    assert hashed(b"a") == 177604


async def test_each_value_of_a_key_is_a_row(path: str) -> None:
    async with asking("cdb:") as source:
        query = f"{path}?$domain"
        assert await source.query(query, {"domain": "example.com"}) == those(
            {"1": "one"}, {"1": "two"}
        )
        assert await source.query(query, {"domain": "example.org"}) == ()
        assert await source.query(query, {"domain": "b"}) == those({"1": "ü"})
    async with asking(f"cdb:{path}", max_rows=1) as source:
        assert await source.query("?example.com") == those({"1": "one"})


async def test_a_file_which_is_none_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\xff" * 3000)
    async with asking(f"cdb:{broken}") as source:
        with pytest.raises(StatementError, match="no constant database"):
            await source.query("?a")


@given(st.lists(st.tuples(st.binary(max_size=3), st.binary(max_size=5)), max_size=60), st.data())
def test_what_was_written_is_found_in_its_order(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[tuple[bytes, bytes]],
    data: st.DataObject,
) -> None:
    path = tmp_path_factory.mktemp("cdb") / "db"
    path.write_bytes(written(records))
    keys = [key for key, _ in records] or [b"none"]
    key = data.draw(st.sampled_from(keys))
    with path.open("rb") as file:
        found = list(values(file.fileno(), key))
    assert found == [value for each, value in records if each == key]
