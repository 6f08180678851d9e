"""Files of secrets are for the server, and for who made them."""

import os
import stat
from pathlib import Path

import pytest

from angarium.run import secret_files
from angarium.run.secret_files import give, group_of_server


def given(path: Path) -> os.stat_result:
    with path.open("w") as file:
        os.fchmod(file.fileno(), 0o666)
        give(file.fileno())
    return path.stat()


def test_without_a_server_they_are_for_who_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_files, "USERS", ("no such user",))
    assert group_of_server() is None
    found = given(tmp_path / "x")
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o600, os.geteuid())


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_what_root_makes_the_server_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_files, "USERS", ("no such user", "nobody"))
    found = given(tmp_path / "x")
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o640, 0)
    assert found.st_gid == group_of_server()


def test_what_another_makes_is_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_files, "USERS", ("nobody",))
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert stat.S_IMODE(given(tmp_path / "x").st_mode) == 0o600
