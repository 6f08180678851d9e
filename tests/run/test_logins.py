"""Attempts in acctlog as Momentum writes them, and the key which workers share."""

from pathlib import Path

import pytest

from angarium.config.load import load_text
from angarium.inbound.logins import Login, Outcome
from angarium.run.logins import KEY_SIZE, Logins, node_key
from helpers.clock import FakeClock


def logins(state: Path, path: str, told: list[str]) -> Logins:
    made = Logins(FakeClock(), told.append)
    made.use(load_text(f'ec_logger "x" {{ acctlog = "{path}" }}'), state)
    return made


def test_lines_are_those_of_momentum(tmp_path: Path) -> None:
    told: list[str] = []
    made = logins(tmp_path, f"{tmp_path}/acct", told)
    where = ("127.0.0.1:25", "192.0.2.1:4711", "t@a.example", "PLAIN")
    for outcome in Outcome:
        made.write(Login(*where, outcome))
    made.close()
    lines = (tmp_path / "acct").read_text().splitlines()
    rest = [line.split("@", 1)[1] for line in lines]
    same = r"127.0.0.1:25@192.0.2.1:4711@t\@a.example"
    assert rest == [f"N@{same}@1", f"N@{same}@0", f"T@{same}@0"]
    assert told == []


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    made = logins(tmp_path, "/proc/nothing/acct", told)
    made.write(Login("a", "b", "tim", "PLAIN", Outcome.RIGHT))
    assert told[0].startswith("acctlog cannot be written")
    assert "tim" not in told[0]


def test_the_key_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    state = tmp_path / "state"
    key = node_key(state)
    assert len(key) == KEY_SIZE
    assert node_key(state) == key
    assert (state / "auth.key").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in state.iterdir()] == ["auth.key"]


def test_of_two_who_begin_together_one_has_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = b"o" * KEY_SIZE
    real = Path.read_bytes
    state = tmp_path

    def late(path: Path) -> bytes:
        monkeypatch.setattr(Path, "read_bytes", real)
        (state / "auth.key").write_bytes(other)
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_bytes", late)
    assert node_key(state) == other
