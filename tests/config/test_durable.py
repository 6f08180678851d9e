"""Files which are there whole or not at all."""

import os
from pathlib import Path

import pytest

from angarium.config import durable


def test_a_file_is_written_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a"
    durable.write(str(path), b"text", 0o600)
    assert path.read_bytes() == b"text"
    assert path.stat().st_mode & 0o777 == 0o600
    durable.sync_folder(str(tmp_path))


def test_a_leftover_or_a_link_is_replaced_and_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "leftover").write_bytes(b"a longer text")
    (tmp_path / "leftover").chmod(0o666)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("leftover", "link"):
        durable.write(str(tmp_path / name), b"text", 0o600)
        assert (tmp_path / name).read_bytes() == b"text"
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "elsewhere").exists()


def test_what_fails_leaves_no_file(tmp_path: Path) -> None:
    def refuse(_handle: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    with pytest.raises(PermissionError):
        durable.write(str(tmp_path / "a"), b"text", 0o600, prepare=refuse)
    assert os.listdir(tmp_path) == []
