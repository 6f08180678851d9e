"""A lane: in which row of its queue a message waits, as one number of 32 bits.

    class << 30 | hash of the fairness key         0: neither priority nor key

It is all that queues need to know to be fair (`queue/turns`), and small enough to be kept for each
of a million entries. The key itself stands with the message. Two keys with one hash share their
turns: one pair in a billion.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final

CLASSES: Final = 4  # of priority; Momentum has 0 and 1
KEY_BITS: Final = 30
KEY_MASK: Final = (1 << KEY_BITS) - 1
_KEYS: Final = 16384  # whose hash is remembered: finding it out takes 1 us


def lane_of(priority: int, key: str) -> int:
    """Return the lane of a message; a priority beyond the classes is the nearest one."""
    return min(max(priority, 0), CLASSES - 1) << KEY_BITS | hash_of(key)


@lru_cache(_KEYS)
def hash_of(key: str) -> int:
    """Return what a lane has of a key: 0 for none."""
    if not key:
        return 0
    digest = blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "little") % KEY_MASK + 1
