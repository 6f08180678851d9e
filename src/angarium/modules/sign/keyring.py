"""Private keys of who signs, from their files, kept for a while.

    ring = Keyring(means, size=2048, kept_seconds=300.0, missing_seconds=3600.0)
    key = ring.known(path)              a key; None: there is none; or UNKNOWN: look for it
    key = await ring.look(path)

A file is read in a thread, so that no disk holds up the loop. A key which is kept is used up to
its time and then read anew: who changes a file waits, or flushes the ring. What only root may read,
and was named by the configuration when the server started, is what it was then (`config/held`).
"""

import stat
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Final, TypeAlias

from angarium.config.held import Held
from angarium.config.section import Section
from angarium.mail.auth.keys import BadKeyError, PrivateKey, private
from angarium.modules.means import Means
from angarium.modules.sign.options.dkim import (
    DkimSign,
    DkimSignDomain,
    DomainKeysSign,
    DomainKeysSignDomain,
    OpenDkim,
)

MAX_FILE: Final = 65_536  # octets; a key of RSA-8192 has 6,400


class Unknown(Enum):
    """Says that nobody has looked yet."""

    UNKNOWN = 0


UNKNOWN: Final = Unknown.UNKNOWN


# The stanzas which say how many keys are kept, and how long.
Keeping: TypeAlias = OpenDkim | DkimSign | DkimSignDomain | DomainKeysSign | DomainKeysSignDomain


class Keyring:
    """Keys by the path of their file."""

    __slots__ = (
        "_clock", "_held", "_kept_seconds", "_keys", "_loop", "_missing_seconds", "_size", "_tell",
    )  # fmt: skip

    def __init__(
        self, means: Means, size: int, kept_seconds: float, missing_seconds: float
    ) -> None:
        """Args: the seconds are for keys which are there, and for those which are not."""
        self._loop = means.loop
        self._held = means.configuration.held
        self._clock = means.clock
        self._tell: Callable[[str, str], None] = means.tell
        self._size = max(1, size)
        self._kept_seconds = kept_seconds
        self._missing_seconds = missing_seconds
        self._keys: OrderedDict[str, tuple[PrivateKey | None, float]] = OrderedDict()

    def known(self, path: str) -> PrivateKey | Unknown | None:
        """Return a key which is kept, None where there was none, or UNKNOWN."""
        found = self._keys.get(path)
        if found is None or found[1] < self._clock.monotonic():
            return UNKNOWN
        return found[0]

    async def look(self, path: str) -> PrivateKey | None:
        """Return the key of a file; None, and the reason told, where there is none."""
        key, fault = await self._loop.run_in_executor(None, _read, path, self._held)
        if fault:
            self._tell("WARNING", f"{path}: {fault}")
        seconds = self._missing_seconds if key is None else self._kept_seconds
        self._keys[path] = key, self._clock.monotonic() + seconds
        self._keys.move_to_end(path)
        if len(self._keys) > self._size:
            self._keys.popitem(last=False)
        return key

    def flush(self) -> int:
        """Forget all; return how many there were."""
        count = len(self._keys)
        self._keys.clear()
        return count


def ring_of(options: Keeping, means: Means) -> Keyring:
    """Return where the keys of a stanza are kept."""
    return Keyring(means, options.keycache_size, options.pos_keycache_ttl, options.neg_keycache_ttl)


def own_ring(said: Section, own: Keeping, general: Keeping, ring: Keyring, means: Means) -> Keyring:
    """Return where keys of a domain are kept: with those of all, unless its stanza says how."""
    names = said.values.keys() & {"keycache_size", "pos_keycache_ttl", "neg_keycache_ttl"}
    if not names:
        return ring
    return Keyring(
        means,
        (own if "keycache_size" in names else general).keycache_size,
        (own if "pos_keycache_ttl" in names else general).pos_keycache_ttl,
        (own if "neg_keycache_ttl" in names else general).neg_keycache_ttl,
    )


def _read(path: str, held: Held) -> tuple[PrivateKey | None, str]:
    """Return the key of a file, or why there is none."""
    try:
        if held.stands_in(path):
            return private(held.read(path)), ""
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return None, "this is no file"  # To open a pipe would wait for who writes to it.
        with Path(path).open("rb") as file:
            return private(file.read(MAX_FILE)), ""
    except OSError as error:
        return None, error.strerror or str(error)
    except BadKeyError as error:
        return None, error.message
