"""A spool of a newer version is told from a damaged one, and not touched."""

from pathlib import Path

import pytest

from angarium.journal.segment import Segment, encode_header, name_of
from angarium.queue.spool.checkpoint import KIND
from angarium.run.formats import NewerError, refuse_newer
from helpers.formats import newer


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    shard = tmp_path / "003"
    for log in ("data", "state", "events", "rejections", "checkpoints"):
        (shard / log).mkdir(parents=True)
    (shard / "data" / name_of(1)).write_bytes(encode_header(Segment(1, 2, 1, 0), "data"))
    return shard


@pytest.mark.parametrize(
    "name", ["data/0000000002.seg", "rejections/0000000001.seg", "checkpoints/0000000004.chk"]
)
def test_the_file_and_its_version_are_named(shard: Path, name: str) -> None:
    refuse_newer(shard.parent)
    path = shard / name
    kind = {"data": "data", "rejections": "rejects", "checkpoints": KIND}[path.parent.name]
    path.write_bytes(newer(encode_header(Segment(int(path.stem), 2, 1, 0), kind), 7))
    with pytest.raises(NewerError, match="newer Angarium") as refused:
        refuse_newer(shard.parent)
    assert refused.value.fields["file"] == str(path)
    assert refused.value.fields["version"] == 7


def test_damage_is_none_of_its_business(shard: Path) -> None:
    (shard / "data" / name_of(1)).write_bytes(b"\xff" * 200)
    (shard / "checkpoints/0000000001.chk").write_bytes(b"\xff" * 200)
    octets = bytearray(encode_header(Segment(2, 2, 1, 0), "data"))
    octets[8] ^= 2  # the version, and not its CRC
    (shard / "data" / name_of(2)).write_bytes(octets)
    refuse_newer(shard.parent)


def test_there_may_be_no_spool_yet(tmp_path: Path) -> None:
    refuse_newer(tmp_path / "spool")
