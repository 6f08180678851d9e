"""Files of users: each kind as it is written, and read again when it has changed."""

import os
from pathlib import Path

import pytest

from angarium.data import users
from angarium.data.users import Users, UsersError, is_digest

HASH = "0123456789ABCDEF0123456789abcdef"


def test_each_kind_is_read(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text(
        f"# tom:no\n\ntim:tan:staaf\nann:r:e:{HASH}\nann:other:{HASH[::-1]}\nbob:$6$x:1000:1000\n"
        "kim:SCRAM-SHA-256$4096:a$b:c:1000\n"
    )
    known = Users()
    assert known.password(str(file), "tim") == "tan:staaf"
    assert known.password(str(file), "tom") is None
    assert known.password(str(file), "# tom") is None
    assert known.digest(str(file), "ann", "r:e") == HASH.lower()
    assert known.digest(str(file), "ann", "other") == HASH[::-1].lower()
    assert known.digest(str(file), "ann", "r") is None
    assert known.digest(str(file), "bob", "$6$x:1000") is None
    assert known.hashed(str(file), "bob") == "$6$x"
    assert known.hashed(str(file), "eve") is None
    assert known.hashed(str(file), "kim") == "SCRAM-SHA-256$4096:a$b:c"


def test_a_change_counts_at_once(tmp_path: Path) -> None:
    file, known = tmp_path / "users", Users()
    file.write_text("tim:one\n")
    assert known.password(str(file), "tim") == "one"
    file.write_text("tim:two\n")
    os.utime(file, ns=(1, 1))
    assert known.password(str(file), "tim") == "two"


def test_only_so_many_files_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "MOST_FILES", 1)
    known = Users()
    for name in ("a", "b", "a"):
        (tmp_path / name).write_text(f"tim:{name}\n")
        assert known.password(str(tmp_path / name), "tim") == name
    assert len(known._files) == 1


def test_a_file_which_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "users"
    with pytest.raises(UsersError):
        Users().password(str(file), "tim")
    file.write_bytes(b"tim:\xff\n")
    with pytest.raises(UsersError):
        Users().password(str(file), "tim")
    monkeypatch.setattr(users, "MAX_FILE", 2)
    with pytest.raises(UsersError, match="too long"):
        Users().password(str(file), "tim")


def test_a_digest_is_hexadecimal() -> None:
    assert is_digest(HASH)
    assert not is_digest(HASH[1:])
    assert not is_digest("g" + HASH[1:])
