"""`ec_spool_check` prints and ends as Momentum's."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.core.ident import printed
from angarium.journal.disk import FileDisk
from angarium.queue.spool.slot import unpack
from angarium.run.programs.spool import stopped
from angarium.run.spool_check import command
from helpers.spool import Life


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(words))
    return result.exit_code, result.output


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(FileDisk()).start(str(tmp_path / "spool" / "000"))  # type: ignore[arg-type]


SUMMARY = """\
Total scanned:    {}
Total ok:         {}
Meta failures:    {}
Body failures:    {}
Orphan L-markers: 0
"""


def test_a_sound_spool(tmp_path: Path, life: Life) -> None:
    life.stop()
    assert run(str(tmp_path)) == (0, SUMMARY.format(0, 0, 0, 0))
    assert run("-x", str(tmp_path))[1].splitlines()[-2:] == [
        "Oldest:           (none)",
        "Newest:           (none)",
    ]


def test_what_fails_is_counted_and_named(tmp_path: Path, life: Life) -> None:
    meta, body, fine = (life.put(body=text * 50)[0] for text in (b"a", b"b", b"c"))
    where = unpack(life.spool.live[meta])
    life.stop()
    path = tmp_path / "spool/000/data/0000000001.seg"
    octets = bytearray(path.read_bytes().replace(b"b" * 50, b"b" * 49 + b"x"))
    octets[where.offset + 3] ^= 1
    path.write_bytes(octets)
    code, output = run("-x", str(tmp_path))
    assert code == 1
    assert SUMMARY.format(3, 1, 1, 1) in output
    failed = {line.split()[1] for line in output.splitlines() if line.startswith("FAIL ")}
    assert failed == {f"{printed(meta)}:", f"{printed(body)}:"}
    assert f"Oldest:           {printed(fine)} " in output


def test_what_cannot_be_looked_at_is_2(tmp_path: Path, life: Life) -> None:
    life.stop()
    assert run(str(tmp_path / "absent"))[0] == 2
    with stopped(tmp_path):
        code, output = run(str(tmp_path))
    assert code == 2
    assert "locked" in output
    faulty = tmp_path / "ecelerity.conf"
    faulty.write_text("hostname =")
    assert run("-c", str(faulty), str(tmp_path))[0] == 2
    assert run("-h")[0] == 0
