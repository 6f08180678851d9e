"""Policies of MTA-STS on disk, one file for each domain, for all workers and the next start.

A file which is damaged is as good as none: the policy is fetched again.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from angarium.mail.auth.asking import is_name
from angarium.net.tlspolicy.sts import Mode, Policy, StsError, parsed

_ENDING: Final = ".json"
MOST_OCTETS: Final = 131072


class Kept(msgspec.Struct, frozen=True):
    """A policy, and when it came.

    Attributes:
        id: of the record which told of it.
        fetched: Unix time.
        lines: the policy, line by line.
    """

    domain: str
    id: str
    fetched: float
    lines: tuple[str, ...]

    @property
    def policy(self) -> Policy:
        """The policy; none in effect if the lines are no policy any more."""
        try:
            return parsed("\n".join(self.lines).encode())
        except StsError:
            return Policy(Mode.NONE, 0)

    def expires(self) -> float:
        """Return the Unix time after which it does not count."""
        return self.fetched + self.policy.max_age


class Shelf:
    """The folder. What cannot be read or written raises OSError; nobody waits for it.

    Attributes:
        folder: where the files are; it is made when the first one is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, domain: str) -> Kept | None:
        """Return what is kept of a domain, over or not."""
        return _read(self.path(domain)) if is_name(domain) and "/" not in domain else None

    def save(self, kept: Kept) -> None:
        """Keep a policy; who reads meanwhile gets the old one or the new one."""
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        path = self.path(kept.domain)
        coming = path.with_suffix(f".{os.getpid()}.new")
        coming.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")
        coming.replace(path)

    def remove(self, domain: str) -> None:
        """Forget a domain."""
        self.path(domain).unlink(missing_ok=True)

    def all(self) -> Iterator[Kept]:
        """Yield what is kept, in the order of the names."""
        with contextlib.suppress(FileNotFoundError):
            for path in sorted(self.folder.iterdir()):
                if path.suffix == _ENDING and (kept := _read(path)) is not None:
                    yield kept

    def path(self, domain: str) -> Path:
        """Return where the policy of a domain is kept."""
        return self.folder / f"{domain}{_ENDING}"


def _read(path: Path) -> Kept | None:
    try:
        if path.stat().st_size > MOST_OCTETS:
            return None
        kept = msgspec.json.decode(path.read_bytes(), type=Kept)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return kept if kept.domain == path.name.removesuffix(_ENDING) else None
