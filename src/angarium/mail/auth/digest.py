"""Hashes of a body: each canonical form is made once, however many signatures want it.

want = Want("relaxed", "sha256")
hashes = hashed({want}, body_pieces)
hashes[want].digest
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from angarium.mail.auth.canon import BODY, Canonical

HASHES: Final = frozenset(("sha1", "sha256"))


class Want(NamedTuple):
    """What a signature needs to know of the body."""

    canon: str
    hash: str
    length: int | None = None  # of the canonical body, in octets; None: all


class BodyHash(NamedTuple):
    """What there is to know."""

    digest: bytes
    size: int  # octets of the whole canonical body, also where fewer were wanted


BodyHashes = Mapping[Want, BodyHash]


def fresh(name: str) -> Any:
    """Return a hash of that name, with nothing in it yet."""
    if name == "sha256":
        return hashlib.sha256()
    if name == "sha1":
        return hashlib.sha1(usedforsecurity=False)
    raise ValueError(f"there is no hash {name}")


class _Tap:
    """Where one canonical form comes out."""

    __slots__ = ("limited", "size", "updates")

    def __init__(self) -> None:
        self.size = 0
        self.updates: list[Any] = []
        self.limited: list[tuple[int, Any]] = []

    def __call__(self, octets: bytes) -> None:
        begin = self.size
        self.size = begin + len(octets)
        for update in self.updates:
            update(octets)
        for limit, update in self.limited:
            if begin < limit:
                update(octets if self.size <= limit else octets[: limit - begin])


class Hashing:
    """The hashes of a body which comes in pieces."""

    __slots__ = ("_canonical", "_hashes", "_taps")

    def __init__(self, wants: Iterable[Want]) -> None:
        self._hashes: dict[Want, Any] = {}
        self._taps: dict[str, _Tap] = {}
        self._canonical: list[Canonical] = []
        for want in wants:
            if want in self._hashes:
                continue
            self._hashes[want] = body = fresh(want.hash)
            tap = self._taps.get(want.canon)
            if tap is None:
                tap = self._taps[want.canon] = _Tap()
                self._canonical.append(BODY[want.canon](tap))
            if want.length is None:
                tap.updates.append(body.update)
            else:
                tap.limited.append((want.length, body.update))

    def feed(self, piece: bytes) -> None:
        for each in self._canonical:
            each.feed(piece)

    def end(self) -> dict[Want, BodyHash]:
        """Return the hashes. Nothing is fed after this."""
        for each in self._canonical:
            each.end()
        return {
            want: BodyHash(body.digest(), self._taps[want.canon].size)
            for want, body in self._hashes.items()
        }


def hashed(wants: Iterable[Want], pieces: Iterable[bytes]) -> dict[Want, BodyHash]:
    """Return the hashes of a body; it is not read if nothing is wanted."""
    hashing = Hashing(wants)
    if hashing._canonical:
        for piece in pieces:
            hashing.feed(piece)
    return hashing.end()
