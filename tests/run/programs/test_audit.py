"""`angarium audit` as an operator runs it."""

import json
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from click.testing import CliRunner

from angarium.core.ident import printed
from angarium.journal.disk import FileDisk
from angarium.journal.segment import _CRC, _HEADER
from angarium.run.programs.audit import command
from helpers.spool import Life


def run(state: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, ["--state", str(state), *words])
    return result.exit_code, result.output


@pytest.fixture
def life(tmp_path: Path) -> Life:
    """A worker on the first shard of a state directory, which has not ended."""
    return Life(FileDisk()).start(str(tmp_path / "spool" / "000"))  # type: ignore[arg-type]


def settled(life: Life) -> tuple[int, int]:
    life.loop.clock.advance(0.2)
    one, other = life.put("a@example.org", "b@example.org")
    life.deliver(one)
    life.pass_time(2.0)
    return one, other


def test_all_accounted_for_is_exit_code_0(tmp_path: Path, life: Life) -> None:
    settled(life)
    code, output = run(tmp_path)
    assert code == 0
    header, shard, total, verdict = (line.split() for line in output.splitlines())
    assert header[:4] == ["shard", "accepted", "queued", "quarantined"]
    assert shard == ["000", "2", "1", "0", "1", "0", "0", "0", "0"]
    assert total == ["sum", *shard[1:]]
    assert verdict[:3] == ["all", "accounted", "for;"]


def test_each_recipient_can_be_listed(tmp_path: Path, life: Life) -> None:
    one, other = settled(life)
    _, output = run(tmp_path, "--list", "--bodies")
    assert f"{printed(other)} queued b@example.org" in output.splitlines()
    _, output = run(tmp_path, "--list", "--json")
    found: dict[str, Any] = json.loads(output)
    assert [each["state"] for each in found["entries"]] == ["delivered", "queued"]
    assert found["entries"][0]["id"] == printed(one)
    assert found["sum"].items() <= found["shards"]["000"].items()


def test_a_loss_is_named_and_is_exit_code_1(tmp_path: Path, life: Life) -> None:
    _, other = settled(life)
    shard = life.keeper(str(tmp_path / "spool" / "000")).shard
    assert shard is not None
    del shard.table.live[other]
    life.stop()
    code, output = run(tmp_path)
    assert code == 1
    assert f"shard 000: {printed(other)} was accepted and is nowhere" in output
    assert not json.loads(run(tmp_path, "--json")[1])["sound"]


def test_a_state_without_a_spool_has_nothing_to_account_for(tmp_path: Path) -> None:
    assert run(tmp_path)[0] == 0


def test_a_spool_of_a_newer_version_is_not_judged(tmp_path: Path, life: Life) -> None:
    settled(life)
    life.stop()
    [segment] = (tmp_path / "spool" / "000" / "data").glob("*.seg")
    octets = bytearray(segment.read_bytes())
    octets[8] += 1
    sealed = _HEADER.size  # A version that does not fit its CRC is damage.
    _CRC.pack_into(octets, sealed, crc32(octets[:sealed]))
    segment.write_bytes(octets)
    code, output = run(tmp_path)
    assert code == 3
    assert "newer" in output
