"""`angarium config history`: what it says, and how it ends."""

import json
from pathlib import Path

import msgspec
import pytest

from angarium.config.history import History
from angarium.config.tree import Snapshot
from helpers.tools import angarium


def snapshot(text: str) -> bytes:
    return msgspec.msgpack.encode(Snapshot("/etc/main", (), {"/etc/main": text.encode()}, {}))


@pytest.fixture(name="state")
def state_directory(tmp_path: Path) -> Path:
    clock = iter([0.0, 86400.5])
    kept = History(str(tmp_path / "config"), now=lambda: next(clock))
    kept.record(snapshot("retry_interval = 60\n"), "root", "start")
    kept.record(
        snapshot('retry_interval = 70 # why\noutbound_smtp_auth_pass = "s"\n'),
        "an\x1bna",
        "console",
        ["global: retry_interval: 60 -> 70", "global: outbound_smtp_auth_pass: not set -> ***"],
    )
    return tmp_path


def test_the_newest_is_first_and_says_who_when_how_and_what(state: Path) -> None:
    assert angarium("config", "history", "--state", state) == (
        0,
        "     2 1970-01-02T00:00:00Z console  an?na: global: retry_interval: 60 -> 70, and 1 more\n"
        "     1 1970-01-01T00:00:00Z start    root\n",
    )


def test_a_revision_has_all_its_changes(state: Path) -> None:
    assert angarium("config", "history", "--state", state, "2") == (
        0,
        "revision 2, console by an?na, 1970-01-02T00:00:00Z\n"
        "  global: retry_interval: 60 -> 70\n"
        "  global: outbound_smtp_auth_pass: not set -> ***\n",
    )


def test_two_revisions_are_compared_in_meaning(state: Path) -> None:
    assert angarium("config", "history", "--state", state, "2", "1") == (
        1,
        "global: outbound_smtp_auth_pass: *** -> not set\nglobal: retry_interval: 70 -> 60\n",
    )
    assert angarium("config", "history", "--state", state, "2", "2") == (0, "")


def test_a_revision_becomes_a_file_again(state: Path) -> None:
    code, output = angarium("config", "history", "--state", state, "--text", "2")
    assert (code, output) == (0, 'retry_interval = 70 # why\noutbound_smtp_auth_pass = "s"\n')


def test_all_of_it_as_json(state: Path) -> None:
    code, output = angarium("config", "history", "--state", state, "--json")
    assert code == 0
    assert [(each["revision"], each["when"]) for each in json.loads(output)] == [
        (1, "1970-01-01T00:00:00Z"), (2, "1970-01-02T00:00:00Z")
    ]  # fmt: skip
    code, output = angarium("config", "history", "--state", state, "--json", "2")
    assert json.loads(output)["total"] == 2
    code, output = angarium("config", "history", "--state", state, "--json", "1", "2")
    assert (code, len(json.loads(output))) == (1, 2)


def test_a_damaged_file_is_told_and_the_rest_shown(state: Path) -> None:
    (state / "config" / "000002.rev").write_bytes(b"torn")
    code, output = angarium("config", "history", "--state", state)
    assert code == 0
    assert "000002.rev is damaged" in output
    assert "     1 1970-01-01T00:00:00Z start    root\n" in output


def test_what_is_not_there_is_said(state: Path) -> None:
    assert angarium("config", "history", "--state", state, "9") == (2, "there is no revision 9\n")
    assert angarium("config", "history", "--state", state, "--text")[0] == 2
    assert angarium("config", "history", "--state", state / "config") == (0, "")
