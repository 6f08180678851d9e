"""What is written down before files become messages, and what it tells after a crash."""

from pathlib import Path

import pytest

from angarium.queue.spool import claims
from angarium.queue.spool.bring import FOLDER
from angarium.queue.spool.claims import Claim, Held, Left


@pytest.fixture
def files(tmp_path: Path) -> list[Claim]:
    """Return two claims, of files which are there."""
    drop = tmp_path / "drop"
    drop.mkdir()
    for name in ("one", "two"):
        (drop / name).touch()
    return [
        Claim(number, str(drop / name), (drop / name).stat().st_ino)
        for number, name in ((7, "one"), (8, "two"))
    ]


def there(files: list[Claim]) -> list[str]:
    return [Path(each.path).name for each in files if Path(each.path).exists()]


def test_a_claim_which_is_held_is_nobody_elses(tmp_path: Path, files: list[Claim]) -> None:
    held = Held(tmp_path, files)
    assert claims.left(tmp_path, str(tmp_path / "drop")) == Left([], 1)
    assert claims.left(tmp_path, str(tmp_path / "other")) == Left([], 0)
    assert claims.settle(tmp_path, {7, 8}, {7, 8}) == 0
    held.done()
    assert claims.left(tmp_path, str(tmp_path)) == Left([], 0)
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_of_one_that_was_let_go_what_came_in_is_removed(tmp_path: Path, files: list[Claim]) -> None:
    Held(tmp_path, files).let_go()
    assert claims.left(tmp_path, "/elsewhere") == Left([7, 8], 0)
    assert claims.settle(tmp_path, {7, 8}, {8}) == 1
    assert there(files) == ["one"]
    assert claims.left(tmp_path, "/elsewhere") == Left([], 0)


def test_one_of_which_nothing_is_known_stays(tmp_path: Path, files: list[Claim]) -> None:
    Held(tmp_path, files).let_go()
    assert claims.settle(tmp_path, {7}, {7}) == 0
    assert there(files) == ["one", "two"]
    assert claims.left(tmp_path, "/elsewhere").batches == [7, 8]


def test_a_claim_which_is_not_whole_claims_nothing(tmp_path: Path, files: list[Claim]) -> None:
    Held(tmp_path, files).let_go()
    [path] = (tmp_path / FOLDER).iterdir()
    path.write_bytes(path.read_bytes()[:-3])
    assert claims.left(tmp_path, "/elsewhere") == Left([], 0)
    assert claims.settle(tmp_path, set(), set()) == 0
    assert list((tmp_path / FOLDER).iterdir()) == []
    assert Left([1], 1) + Left([2], 2) == Left([1, 2], 3)


def test_a_file_which_cannot_be_removed_keeps_its_claim(
    tmp_path: Path, files: list[Claim], monkeypatch: pytest.MonkeyPatch
) -> None:
    Held(tmp_path, files).let_go()
    monkeypatch.setattr("angarium.queue.spool.sources.remove", lambda files: [files[0][0]])
    with pytest.raises(PermissionError, match="cannot be removed"):
        claims.settle(tmp_path, {7, 8}, {7})
    assert claims.left(tmp_path, "/elsewhere").batches == [7, 8]
