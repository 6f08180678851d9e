"""Figures of signatures outlast the server."""

import os
import stat
from pathlib import Path

from angarium.events.signing import Signed
from angarium.run.signed import NAME, load, save

KNOWN = {"DKIM\tone": Signed(0.5, 1, 2, 3), "DomainKeys\t": Signed(0.25, 1, 0, 1)}


def test_what_was_kept_is_there_again(tmp_path: Path) -> None:
    assert load(tmp_path) == ({}, "")
    assert save(tmp_path, KNOWN) == ""
    assert load(tmp_path) == (KNOWN, "")
    assert stat.S_IMODE(os.stat(tmp_path / NAME).st_mode) & 0o007 == 0


def test_nothing_leaves_no_file(tmp_path: Path) -> None:
    save(tmp_path, KNOWN)
    assert save(tmp_path, {}) == save(tmp_path, {}) == ""
    assert os.listdir(tmp_path) == []


def test_a_broken_file_is_told_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"DKIM\\tone": {"signed": "x"}}')
    known, fault = load(tmp_path)
    assert known == {}
    assert NAME in fault


def test_a_folder_which_cannot_be_written_is_told(tmp_path: Path) -> None:
    fault = save(tmp_path / "gone", KNOWN)
    assert "No such file" in fault


def test_what_cannot_be_forgotten_is_told(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()  # No file, so it cannot be taken away as one.
    assert "counts again after the next start" in save(tmp_path, {})
