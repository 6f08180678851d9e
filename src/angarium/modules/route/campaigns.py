"""The campaigns which a node has seen, each once, whichever worker sees it first.

    campaigns = Campaigns(path, most=100_000)
    campaigns.claim("spring")      True for the first one who asks, for ever after False
    campaigns.release("spring")    what was claimed came to nothing

A file of lines, one for each campaign, which all workers append to under a lock: who has the lock
reads what others have written since, and then knows. The first line is of this file alone: one that
is written anew may well get the inode of the one before it. The rule: no answer without the lock,
but for a campaign which is known already. A crash of the machine may lose the last lines, and then
a campaign is first once more.
"""

import contextlib
import fcntl
import json
import os
import secrets
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

LONGEST: Final = 200  # characters of a campaign which are kept as they are
MAGIC: Final = b"campaigns 1 "
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


class Campaigns:
    """See above. `claim` and `release` block: they belong into a thread.

    Args:
        path: of the file; its folder is made.
        most: campaigns which are kept; when there are twice as many lines the oldest go.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._path = path
        self._most = most
        self._known: dict[str, None] = {}
        self._lines = 0
        self._read_to = 0
        self._torn = False  # the last line has no end: who wrote it has crashed
        self._title = b""  # the first line
        self._mutex = threading.Lock()

    def knows(self, campaign: str) -> bool:
        """Say whether it is known already, without a look at the file."""
        return _key(campaign) in self._known

    def claim(self, campaign: str) -> bool:
        """Say whether this is the first time that anybody asks. Raises OSError."""
        key = _key(campaign)
        with self._mutex, self._alone():
            self._catch_up()
            if key in self._known:
                return False
            self._append("+", key)
            if self._lines > 2 * self._most:
                self._compact()
            return True

    def release(self, campaign: str) -> None:
        """Forget it. Raises OSError."""
        key = _key(campaign)
        with self._mutex, self._alone():
            self._catch_up()
            if key in self._known:
                self._append("-", key)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep others from the file. The lock has a file of its own: this one is replaced."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._path.with_name(f".{self._path.name}.lock"), _FLAGS, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _catch_up(self) -> None:
        """Read what others have written."""
        with contextlib.suppress(FileNotFoundError), self._path.open("rb") as file:
            title = file.readline()
            if title.startswith(MAGIC) and title.endswith(b"\n"):
                if title != self._title:
                    self._begin(title)
                file.seek(self._read_to)
                self._take(file.read())
                return
        # There is none, or a crash has cut off its beginning.
        title = _title()
        self._path.write_bytes(title)
        self._begin(title)

    def _begin(self, title: bytes) -> None:
        # In one step: `knows` looks at it from another thread.
        self._known = {}
        self._title = title
        self._lines, self._read_to = 0, len(title)
        self._torn = False

    def _take(self, octets: bytes) -> None:
        for line in octets.splitlines():
            self._lines += 1
            with contextlib.suppress(ValueError):  # What a crash cut off says nothing.
                self._apply(line[:1], json.loads(line[1:]))
        self._read_to += len(octets)
        if octets:
            self._torn = not octets.endswith(b"\n")

    def _apply(self, sign: bytes, key: object) -> None:
        if sign == b"+" and isinstance(key, str):
            self._known[key] = None
        elif sign == b"-" and isinstance(key, str):
            self._known.pop(key, None)

    def _append(self, sign: str, key: str) -> None:
        line = _line(sign, key)
        with self._path.open("ab", buffering=0) as file:
            file.write(b"\n" + line if self._torn else line)
            self._read_to = file.tell()
        self._torn = False
        self._lines += 1
        self._apply(sign.encode(), key)

    def _compact(self) -> None:
        """Keep the newest ones."""
        kept = dict.fromkeys(list(self._known)[-self._most :])
        title = _title()
        octets = b"".join((title, *(_line("+", key) for key in kept)))
        coming = self._path.with_name(f".{self._path.name}.new")
        coming.write_bytes(octets)
        coming.replace(self._path)
        self._known, self._title = kept, title
        self._read_to, self._lines = len(octets), len(kept)


def _title() -> bytes:
    return MAGIC + secrets.token_hex(8).encode("ascii") + b"\n"


def _line(sign: str, key: str) -> bytes:
    return f"{sign}{json.dumps(key)}\n".encode("ascii")


def _key(campaign: str) -> str:
    if len(campaign) <= LONGEST:
        return campaign
    return sha256(campaign.encode("utf-8", "surrogatepass")).hexdigest()
