"""Passwords for other servers, encrypted at rest: a file of rows, and a key in a file of its own.

    credentials.db      SQLite 3: host, user, facility, sealed password
    credentials.key     one line a key: identifier, key in base64; the first one seals

A password is sealed by AES-GCM together with host, user and facility, so no row can be put in
place of another. A new key comes to the front of the file before anything is sealed with it, and
the old one goes when nothing is: whoever dies in between can still read everything.
"""

import base64
import binascii
import os
import secrets
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from angarium.config import durable
from angarium.core.errors import Error

SIZES: Final = (16, 24, 32)
_NONCE: Final = 12  # octets, NIST SP 800-38D section 8.2.2
_SEPARATOR: Final = "\0"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS credentials (
    hostname TEXT NOT NULL, username TEXT NOT NULL, facility TEXT NOT NULL,
    key TEXT NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (hostname, username, facility)
) WITHOUT ROWID
"""

Prepare = Callable[[int], None]


class CredentialsError(Error):
    """The store cannot be read, or not be changed."""


@dataclass(frozen=True, slots=True, order=True)
class Login:
    """Whose password it is, and for what."""

    hostname: str
    username: str
    facility: str

    def __post_init__(self) -> None:
        for name, text in (("hostname", self.hostname), ("username", self.username),
                           ("facility", self.facility)):  # fmt: skip
            if _SEPARATOR in text:
                raise CredentialsError("a NUL in a name", name=name)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a file by identifier; the first one seals."""

    keys: dict[str, bytes] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> "Keys":
        """Read a file of keys. Raises CredentialsError."""
        try:
            if stat.S_IMODE(path.stat().st_mode) & 0o007:
                raise CredentialsError("others may read the key; chmod o= it", file=str(path))
            rows = [each.split() for each in path.read_text("ascii").splitlines() if each.strip()]
            keys = {name: base64.b64decode(text, validate=True) for name, text in rows}
        except (OSError, UnicodeDecodeError, ValueError, binascii.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no file of keys"
            raise CredentialsError("no key", file=str(path), reason=reason) from None
        if not keys or any(len(each) not in SIZES for each in keys.values()):
            raise CredentialsError("it is no file of keys", file=str(path))
        return cls(keys)

    @classmethod
    def made(cls, size: int = 32) -> "Keys":
        """Return a new key. `size`: octets, of SIZES."""
        return cls({secrets.token_hex(8): secrets.token_bytes(size)})

    def before(self, others: "Keys") -> "Keys":
        return Keys(self.keys | others.keys)

    def write(self, path: Path, prepare: Prepare) -> None:
        """Put these keys in the place of a file, in one step. Raises CredentialsError."""
        rows = [f"{name} {base64.b64encode(key).decode()}\n" for name, key in self.keys.items()]
        draft = f"{path}.new"
        try:
            durable.write(draft, "".join(rows).encode(), 0o600, prepare=prepare)
            os.replace(draft, path)
            durable.sync_folder(str(path.parent))
        except OSError as error:
            raise CredentialsError(
                "the key cannot be written", file=str(path), reason=error.strerror
            ) from error


class Store:
    """An open store.

    Args:
        keys: None for who only names things and opens no password.

    Raises:
        CredentialsError: there is none.
    """

    def __init__(self, path: Path, keys: Keys | None = None) -> None:
        if not path.is_file():
            raise CredentialsError("there is no database; create_db makes it", file=str(path))
        self._path = path
        self._keys = keys

    @staticmethod
    def create(path: Path, prepare: Prepare) -> None:
        """Make an empty store. Raises CredentialsError if there is one, or it cannot be."""
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(path, flags, 0o600)
            try:
                prepare(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise CredentialsError(
                "the database cannot be made", file=str(path), reason=error.strerror
            ) from error
        with Store(path)._open() as database:
            database.execute(_SCHEMA)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Yield the database in a transaction."""
        try:
            with closing(sqlite3.connect(self._path, timeout=10.0)) as database, database:
                database.execute("PRAGMA secure_delete = ON")
                database.execute("PRAGMA synchronous = FULL")
                yield database
        except sqlite3.Error as error:
            raise CredentialsError(
                "the database", file=str(self._path), reason=str(error)
            ) from error

    def set(self, login: Login, password: str) -> None:
        """Keep a password. Raises CredentialsError."""
        with self._open() as database:
            self._put(database, login, password)

    def _put(self, database: sqlite3.Connection, login: Login, password: str) -> None:
        keys = self._needed()
        name = next(iter(keys.keys))
        sealed = _seal(keys.keys[name], login, password)
        database.execute(
            "INSERT OR REPLACE INTO credentials VALUES (?, ?, ?, ?, ?)",
            (login.hostname, login.username, login.facility, name, sealed),
        )

    def get(self, login: Login) -> str | None:
        """Return a password, None if there is none. Raises CredentialsError."""
        with self._open() as database:
            row = database.execute(
                "SELECT key, sealed FROM credentials"
                " WHERE hostname = ? AND username = ? AND facility = ?",
                (login.hostname, login.username, login.facility),
            ).fetchone()
        return None if row is None else self._opened(login, *row)

    def delete(self, login: Login) -> bool:
        """Forget a password; False if there was none. Raises CredentialsError."""
        with self._open() as database:
            done = database.execute(
                "DELETE FROM credentials WHERE hostname = ? AND username = ? AND facility = ?",
                (login.hostname, login.username, login.facility),
            )
            return done.rowcount > 0

    def logins(self) -> list[Login]:
        """Return whose passwords are kept. Raises CredentialsError."""
        with self._open() as database:
            rows = database.execute(
                "SELECT hostname, username, facility FROM credentials"
                " ORDER BY hostname, username, facility"
            ).fetchall()
        return [Login(*row) for row in rows]

    def seal_anew(self) -> int:
        """Seal all with the first key; return how many there are. Raises CredentialsError."""
        with self._open() as database:
            rows = database.execute("SELECT * FROM credentials").fetchall()
            for hostname, username, facility, key, sealed in rows:
                login = Login(hostname, username, facility)
                self._put(database, login, self._opened(login, key, sealed))
        with closing(sqlite3.connect(self._path)) as database:
            database.execute("VACUUM")  # what an old key has sealed goes from free pages too
        return len(rows)

    def _needed(self) -> Keys:
        if self._keys is None:
            raise CredentialsError("a key is needed; create_key makes it")
        return self._keys

    def _opened(self, login: Login, name: str, sealed: bytes) -> str:
        key = self._needed().keys.get(name)
        if key is None:
            raise CredentialsError("sealed with a key that is not there", hostname=login.hostname)
        return _open(key, login, sealed)


def _about(login: Login) -> bytes:
    return _SEPARATOR.join((login.hostname, login.username, login.facility)).encode()


def _seal(key: bytes, login: Login, password: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, password.encode(), _about(login))


def _open(key: bytes, login: Login, sealed: bytes) -> str:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _about(login)).decode()
    except (InvalidTag, ValueError) as error:
        raise CredentialsError(
            "a password is not what was kept", hostname=login.hostname, username=login.username
        ) from error
