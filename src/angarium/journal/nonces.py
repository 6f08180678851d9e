"""The nonces of segments, made from a secret and the number of the segment.

A segment says its nonce in its header, and every record repeats it. Should the header be lost,
with the records behind it, the nonce can be made again from the secret: so the rest of the file is
found, and what a peer has written into the body of a message is not taken for it.

The secret is a file of its own, with two copies of it a block apart.
"""

from hashlib import blake2b
from random import Random
from typing import Final
from zlib import crc32

from angarium.journal.disk import Disk, write_all
from angarium.journal.errors import DamageError

NAME: Final = "seed"
SIZE: Final = 16
APART: Final = 4096  # octets: a device loses a block, seldom two
_COPY: Final = SIZE + 4


class Nonces:
    """The nonces of all logs of one owner."""

    __slots__ = ("_seed",)

    def __init__(self, seed: bytes) -> None:
        self._seed = seed

    def of(self, kind: str, sequence: int) -> int:
        """Return the nonce of a segment of the log of this kind."""
        name = f"{kind}/{sequence}".encode()
        return int.from_bytes(blake2b(name, digest_size=8, key=self._seed).digest(), "little")


def load(disk: Disk, directory: str) -> Nonces | None:
    """Return the nonces of a directory, None if it has no secret.

    Raises:
        DamageError: it has one, and neither copy can be read.
        OSError: the disk failed.
    """
    try:
        handle = disk.open(f"{directory}/{NAME}", readonly=True)
    except FileNotFoundError:
        return None
    try:
        for at in (0, APART):
            octets = disk.read(handle, _COPY, at)
            seed = octets[:SIZE]
            if len(octets) == _COPY and octets[SIZE:] == _check(seed):
                return Nonces(seed)
    finally:
        disk.close(handle)
    raise DamageError("the secret of a shard is damaged", path=f"{directory}/{NAME}")


def make(disk: Disk, directory: str, random: Random) -> Nonces:
    """Give a directory a secret, durable when this returns.

    Where that cannot be, on a full disk, the secret is ours only: then a header is all there is.
    """
    seed = random.getrandbits(8 * SIZE).to_bytes(SIZE, "little")
    copy = seed + _check(seed)
    path = f"{directory}/{NAME}"
    try:
        # Under another name until it is durable: half of one would be taken for a damaged one.
        handle = disk.open(f"{path}.new", create=True)
        try:
            write_all(disk, handle, [copy.ljust(APART, b"\0"), copy], 0)
            disk.sync(handle)
        finally:
            disk.close(handle)
        disk.rename(f"{path}.new", path)
        disk.sync_dir(directory)
    except OSError:
        return Nonces(seed)
    return Nonces(seed)


def _check(seed: bytes) -> bytes:
    return crc32(seed).to_bytes(4, "little")
