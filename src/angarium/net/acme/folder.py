"""What ACME keeps in the state directory, and the files it writes for listeners.

    STATE/acme/account-*.pem    the keys of accounts, one for each authority
    STATE/acme/challenges/*     what an authority looks for by HTTP, while it does
    STATE/acme/orders.json      what came of the last orders: none is repeated too soon
    STATE/acme/lock             held while somebody orders

The rule: each file is there whole or not at all, and a key is readable by its owner only.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from angarium.config import durable
from angarium.net.acme import certificates
from angarium.wire.acme import jose
from angarium.wire.acme.documents import is_token
from angarium.wire.acme.errors import AcmeError

NAME: Final = "acme"
SECRET: Final = 0o600
OPEN: Final = 0o644
MOST_TEXT: Final = 1024  # octets of the answer to a challenge
MOST_RECORDS: Final = 1 << 20  # octets


class Record(msgspec.Struct, frozen=True):
    """What came of the last order of a certificate.

    Attributes:
        wish: what was asked for; of another wish the rest says nothing.
        failures: orders which failed since the last one that did not.
        at: when the last one ended, as Unix time.
        not_before: when the next one may begin, whatever is due.
        reason: why it failed; "": it did not.
    """

    wish: str = ""
    failures: int = 0
    at: float = 0.0
    not_before: float = 0.0
    reason: str = ""


Records = dict[str, Record]  # by the path of the certificate


class Folder:
    """Those of one server.

    Args:
        state: the state directory.
    """

    def __init__(self, state: Path) -> None:
        self._folder = state / NAME
        self._challenges = self._folder / "challenges"

    def make(self) -> None:
        """Make what is missing, and remove what an order has left. Raises OSError."""
        self._challenges.mkdir(mode=0o700, parents=True, exist_ok=True)
        for each in self._challenges.iterdir():
            each.unlink(missing_ok=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Be the only one who orders; yield whether we are. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, SECRET)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(handle)

    def account(self, directory: str) -> jose.Key:
        """Return the key of our account with an authority, made now if there is none.

        Raises OSError, AcmeError.
        """
        name = hashlib.sha256(directory.encode()).hexdigest()[:16]
        path = self._folder / f"account-{name}.pem"
        with contextlib.suppress(FileNotFoundError):
            return jose.loaded(path.read_bytes())
        key = jose.generated()
        replace(path, jose.pem(key), SECRET)
        return key

    # Challenges: one process shows them, another finds them.

    def show(self, token: str, text: str) -> None:
        """Let an authority find this. Raises OSError."""
        if not is_token(token):
            raise AcmeError("this is no token")
        replace(self._challenges / token, text.encode(), SECRET)

    def hide(self, token: str) -> None:
        (self._challenges / token).unlink(missing_ok=True)

    def shown(self, token: str) -> bytes | None:
        """Return what is shown for a token, which may be anything; None: nothing."""
        if not is_token(token):
            return None
        try:
            with (self._challenges / token).open("rb") as file:
                return file.read(MOST_TEXT)
        except OSError:
            return None

    # What came of orders.

    def records(self) -> Records:
        """Return what is known; what cannot be read is not."""
        try:
            with (self._folder / "orders.json").open("rb") as file:
                return msgspec.json.decode(file.read(MOST_RECORDS), type=Records)
        except (OSError, msgspec.MsgspecError, RecursionError):
            return {}

    def keep(self, records: Mapping[str, Record]) -> None:
        """Raises OSError."""
        replace(self._folder / "orders.json", msgspec.json.encode(records), SECRET)


def writable(certificate: Path, key: Path) -> str:
    """Return why a pair cannot be written there, or "": to be known before anybody is asked."""
    for folder in dict.fromkeys((certificate.parent, key.parent)):
        if not folder.is_dir():
            return f"there is no directory {folder}"
        if not os.access(folder, os.W_OK | os.X_OK):
            return f"we may not write to {folder}"
    return ""


def write_pair(certificate: Path, key: Path, chain: bytes, made: certificates.Key) -> None:
    """Write a certificate and its key; one file holds both where the paths are the same.

    Of two files the key is replaced first: both are renamed at once, but a crash between would
    leave a pair which does not fit. With one file there is no between. Raises OSError.
    """
    secret = certificates.pem(made)
    if certificate == key:
        replace(certificate, secret + chain, SECRET)
        return
    coming = _beside(certificate), _beside(key)
    durable.write(str(coming[0]), chain, OPEN)
    durable.write(str(coming[1]), secret, SECRET)
    coming[1].replace(key)
    coming[0].replace(certificate)
    for each in dict.fromkeys((key.parent, certificate.parent)):
        durable.sync_folder(str(each))


def replace(path: Path, octets: bytes, mode: int) -> None:
    """Put a file in the place of another, whole. Raises OSError."""
    coming = _beside(path)
    durable.write(str(coming), octets, mode)
    coming.replace(path)
    durable.sync_folder(str(path.parent))


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")
