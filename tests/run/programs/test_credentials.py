"""`credmgr` with the actions of Momentum."""

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.data.credentials import CredentialsError, Store
from angarium.run.programs.credentials import command

LOGIN = ("--hostname=host1", "-u", "user1", "-f", "facy1")


class Manager:
    """The program, on files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.database, self.key = folder / "c.db", folder / "c.key"

    def run(self, action: str, *words: str, said: str = "") -> tuple[int, str]:
        arguments = [action, "-d", str(self.database), "-k", str(self.key), *words]
        result = CliRunner().invoke(command, arguments, input=said)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manager:
    monkeypatch.setattr("setproctitle.setproctitle", lambda _: None)
    made = Manager(tmp_path)
    assert made.run("create_key") == (0, "")
    assert made.run("create_db") == (0, "")
    return made


def test_a_password_is_kept_and_removed(manager: Manager) -> None:
    assert manager.run("set_cred", *LOGIN, said="geheim\n") == (0, "")
    assert manager.run("get_cred", *LOGIN) == (0, "geheim\n")
    assert manager.run("set_cred", *LOGIN, "-p", "other") == (0, "")
    assert manager.run("get_cred") == (0, "host1\tuser1\tfacy1\n")
    assert manager.run("get_cred", "-P") == (0, "host1\tuser1\tfacy1\tother\n")
    assert manager.run("del_cred", *LOGIN) == (0, "")
    assert manager.run("get_cred", *LOGIN)[0] == 1
    assert manager.run("del_cred", *LOGIN)[0] == 1


def test_files_are_for_those_who_need_them(manager: Manager) -> None:
    for file in (manager.database, manager.key):
        assert stat.S_IMODE(file.stat().st_mode) in (0o600, 0o640)
        assert file.stat().st_uid == os.getuid()


def test_a_new_key_keeps_the_passwords(manager: Manager) -> None:
    manager.run("set_cred", *LOGIN, said="geheim\n")
    before = manager.key.read_text()
    assert manager.run("create_key", "--key_size", "16", "--cipher=aes", "--block_mode=cbc")[0] == 0
    after = manager.key.read_text()
    assert after != before
    assert len(after.splitlines()) == 1
    assert manager.run("get_cred", *LOGIN) == (0, "geheim\n")


def test_a_crash_while_the_key_changes_loses_nothing(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.run("set_cred", *LOGIN, said="geheim\n")

    def failing(_: Store) -> int:
        raise CredentialsError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "seal_anew", failing)
        assert manager.run("create_key")[0] == 1
    assert len(manager.key.read_text().splitlines()) == 2
    assert manager.run("get_cred", *LOGIN) == (0, "geheim\n")
    assert manager.run("create_key")[0] == 0
    assert manager.run("get_cred", *LOGIN) == (0, "geheim\n")
    assert len(manager.key.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("set_cred", "-u", "x"), ("get_cred", "-u", "x"), ("del_cred",), ("what",),
        ("create_key", "--cipher", "des"),
    ],
)  # fmt: skip
def test_wrong_usage(manager: Manager, words: tuple[str, ...]) -> None:
    assert manager.run(*words)[0] == 2


def test_no_failure_tells_the_password(manager: Manager) -> None:
    manager.key.unlink()
    code, told = manager.run("set_cred", *LOGIN, "-p", "geheim")
    assert code == 1
    assert "geheim" not in told
