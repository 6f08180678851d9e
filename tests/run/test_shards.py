from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.errors import Error
from angarium.run.shards import assign, existing, unused

NAMES = st.sets(st.integers(0, 127), max_size=40).map(
    lambda numbers: [f"{number:03d}" for number in sorted(numbers)]
)


@given(NAMES, st.integers(1, 16))
def test_every_shard_has_one_owner_and_every_worker_a_shard(found: list[str], workers: int) -> None:
    dealt = assign(found, workers)
    owned = [name for names in dealt for name in names]
    assert len(dealt) == workers
    assert all(dealt)
    assert len(owned) == len(set(owned))
    assert set(found) <= set(owned)


def test_only_directories_with_a_number_are_shards(tmp_path: Path) -> None:
    for name in ("000", "012", "999", "lost+found", "1"):
        (tmp_path / name).mkdir()
    (tmp_path / "001").write_text("a file")
    assert existing(tmp_path) == ["000", "012"]
    assert existing(tmp_path / "missing") == []


def test_the_lowest_free_number_is_taken() -> None:
    assert unused(["000", "002"]) == "001"
    with pytest.raises(Error, match="all shards are in use"):
        unused(f"{number:03d}" for number in range(128))
