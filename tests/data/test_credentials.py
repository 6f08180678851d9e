"""The store of passwords: sealed, and no row in the place of another."""

import os
import sqlite3
from pathlib import Path

import pytest

from angarium.data.credentials import CredentialsError, Keys, Login, Store

ONE = Login("db.test", "angarium", "pgsql")
TWO = Login("ldap.test", "angarium", "ldap")


def own(handle: int) -> None:
    os.fchmod(handle, 0o600)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Store.create(tmp_path / "c.db", own)
    return tmp_path / "c.db"


def test_what_was_set_is_got(path: Path) -> None:
    store = Store(path, Keys.made())
    store.set(ONE, "geheim")
    store.set(TWO, "pässword")
    store.set(ONE, "new")
    assert store.get(ONE) == "new"
    assert store.get(TWO) == "pässword"
    assert store.get(Login("x", "y", "z")) is None
    assert store.logins() == [ONE, TWO]
    assert store.delete(ONE)
    assert not store.delete(ONE)
    assert store.logins() == [TWO]


def test_nothing_of_a_password_is_in_the_file_or_shown(path: Path) -> None:
    keys = Keys.made()
    store = Store(path, keys)
    store.set(ONE, "correct horse battery")
    assert b"correct horse" not in path.read_bytes()
    store.set(ONE, "other")
    assert b"correct horse" not in path.read_bytes()
    assert next(iter(keys.keys.values())).hex() not in repr(keys)
    assert "\\x" not in repr(keys)


def test_a_row_moved_or_changed_is_seen(path: Path) -> None:
    store = Store(path, Keys.made())
    store.set(ONE, "one")
    store.set(TWO, "two")
    with sqlite3.connect(path) as database:
        [(sealed,)] = database.execute(
            "SELECT sealed FROM credentials WHERE facility = 'pgsql'"
        ).fetchall()
        database.execute("UPDATE credentials SET sealed = ?", (sealed,))
    database.close()
    assert store.get(ONE) == "one"
    with pytest.raises(CredentialsError):
        store.get(TWO)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE credentials SET sealed = ?", (sealed[:-1] + b"x",))
    database.close()
    with pytest.raises(CredentialsError):
        store.get(ONE)


def test_a_new_key_seals_all_anew(path: Path, tmp_path: Path) -> None:
    old, new = Keys.made(16), Keys.made(32)
    Store(path, old).set(ONE, "one")
    both = new.before(old)
    # From here on each moment can read everything: both keys are there.
    assert Store(path, both).get(ONE) == "one"
    assert Store(path, both).seal_anew() == 1
    assert Store(path, both).get(ONE) == "one"
    assert Store(path, new).get(ONE) == "one"
    with pytest.raises(CredentialsError):
        Store(path, old).get(ONE)


def test_keys_are_kept_in_a_file_that_others_may_not_read(tmp_path: Path) -> None:
    file = tmp_path / "c.key"
    keys = Keys.made(24)
    keys.before(Keys.made()).write(file, own)
    assert next(iter(Keys.read(file).keys)) == next(iter(keys.keys))
    assert len(Keys.read(file).keys) == 2
    file.chmod(0o644)
    with pytest.raises(CredentialsError, match="chmod"):
        Keys.read(file)


@pytest.mark.parametrize("text", ["", "x", "a b c", "a !!", "a eA==", "\xff"])
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / "c.key"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(CredentialsError) as raised:
        Keys.read(file)
    assert raised.value.__cause__ is None
    assert not text or f"{text!r}" not in str(raised.value)


def test_a_store_that_is_none(tmp_path: Path, path: Path) -> None:
    with pytest.raises(CredentialsError):
        Store(tmp_path / "missing")
    with pytest.raises(CredentialsError):
        Store.create(path, own)
    (tmp_path / "junk").write_bytes(b"junk" * 500)
    with pytest.raises(CredentialsError):
        Store(tmp_path / "junk").logins()
    with pytest.raises(CredentialsError):
        Store(path).set(ONE, "x")
    with pytest.raises(CredentialsError):
        Login("a\0b", "c", "d")
