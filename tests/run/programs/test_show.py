"""`ec_show`: what is in a spool, in Momentum's form."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.core.ident import printed
from angarium.journal.disk import FileDisk
from angarium.queue.spool.slot import unpack
from angarium.run.programs.show import command
from helpers.spool import Life


@pytest.fixture(autouse=True)
def _title(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setproctitle.setproctitle", lambda _: None)


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(FileDisk()).start(str(tmp_path / "spool" / "000"))  # type: ignore[arg-type]


def run(tmp_path: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, ["--state", str(tmp_path), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def shown(told: str) -> list[str]:
    return [each.split()[1] for each in told.splitlines() if each.startswith("Message: ")]


def test_a_message_with_all_that_is_known(tmp_path: Path, life: Life) -> None:
    [ident] = life.put("bob@b.test", body=b"Subject: x\r\n\r\nhello\r\n")
    life.stop()
    code, told = run(tmp_path, "-s")
    assert code == 0
    assert shown(told) == [printed(ident)]
    for line in (
        f"  ID: (slot: {ident >> 32}, pid: 0, counter: {ident & 0xFFFF})", "  Swapped: Yes",
        "  Retries: 0", "  Recipient: bob@b.test", "  Message Context: [",
    ):  # fmt: skip
        assert f"\n{line}\n" in told
    assert told.endswith("Subject: x\n\nhello\n\n.\n\n")
    assert "hello" not in run(tmp_path, "--no-content")[1]


def test_messages_are_chosen(tmp_path: Path, life: Life) -> None:
    first, second = life.put("bob@b.test", "eve@e.test")
    [third] = life.put("bob@b.test")
    life.stop()
    assert run(tmp_path, "-n") == (0, "3\n")
    assert run(tmp_path, "-n", "--recipient", "^bob@") == (0, "2\n")
    assert shown(run(tmp_path, "-m", printed(second))[1]) == [printed(second)]
    assert shown(run(tmp_path, "--recipient=eve")[1]) == [printed(second)]
    assert shown(run(tmp_path, "--sender=nobody")[1]) == []
    assert shown(run(tmp_path, "--start_date=2100-01-01")[1]) == []
    assert len(shown(run(tmp_path, "--end_date", "4000000000")[1])) == 3
    assert {printed(first), printed(third)} < set(shown(run(tmp_path)[1]))


def test_a_message_that_is_not_there(tmp_path: Path, life: Life) -> None:
    life.stop()
    code, told = run(tmp_path, "-m", "00/00-00000-31B987F3")
    assert code == 1
    assert "no message" in told
    assert run(tmp_path, "-n") == (0, "0\n")


def test_what_cannot_be_read_is_named(tmp_path: Path, life: Life) -> None:
    [bad], [good] = life.put("a@a.test", body=b"a" * 50), life.put("b@b.test", body=b"b" * 50)
    where = unpack(life.spool.live[bad])
    life.stop()
    path = tmp_path / "spool/000/data/0000000001.seg"
    octets = bytearray(path.read_bytes())
    octets[where.offset + 3] ^= 1
    path.write_bytes(octets)
    code, told = run(tmp_path, "--no-content")
    assert code == 1
    assert shown(told) == [printed(good)]
    assert printed(bad) in told


@pytest.mark.parametrize(
    "words", [["-m", "what"], ["--sender=("], ["--sender=(a+)+$"], ["--start_date=soon"]]
)
def test_wrong_usage(tmp_path: Path, words: list[str]) -> None:
    assert run(tmp_path, *words)[0] == 2


def test_the_spool_of_a_configuration(tmp_path: Path, life: Life) -> None:
    life.put("bob@b.test")
    life.stop()
    (tmp_path / "c").write_text(f'spoolbase = "{tmp_path}"\n')
    result = CliRunner().invoke(command, ["-c", str(tmp_path / "c"), "-n"])
    assert (result.exit_code, result.output) == (0, "1\n")
    (tmp_path / "c").write_text("what = 1\n")
    assert CliRunner().invoke(command, ["-c", str(tmp_path / "c"), "-n"]).exit_code == 2
