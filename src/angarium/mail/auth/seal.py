"""Sets of ARC, made: RFC 8617 section 5.1.

    sealer = Sealer("example.org", "s1", key, "mx.example.org", Covered.of("from to subject"))
    chain = await verify(fields, pieces, ask)
    hashes = hashed({sealer.want}, pieces)
    work = sealer.prepare(fields, hashes, chain, b"arc=none; spf=pass ...", now)
    if work is not None:
        octets = work.sign()                three fields, to stand above the header

There is nothing to prepare where the newest seal says that the chain had failed: nobody adds to
such a one. The two signatures depend on each other, so both are made by one call of `sign`, which
may run in any thread.
"""

import base64
from dataclasses import dataclass
from typing import Final

from angarium.mail.auth import arc
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.canon import Canon
from angarium.mail.auth.covered import Covered
from angarium.mail.auth.digest import BodyHashes, Want
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.keys import PrivateKey
from angarium.mail.auth.sign import Unsigned, agree, folded_list, unsigned
from angarium.mail.auth.signature import Outcome

_CLOSED: Final = frozenset((arc.SEAL,))  # what a message signature never covers


@dataclass(slots=True)
class Unsealed:
    """A set which lacks its signatures."""

    results: bytes  # the whole field
    message: Unsigned
    before: bytes  # what the seal covers of the sets before
    seal_tags: list[bytes]

    def sign(self) -> bytes:
        """Return the three fields, the seal first."""
        signed = self.message.sign()
        covered = self.before + arc.fresh_fields(self.results, signed)
        seal = unsigned(b"ARC-Seal", self.seal_tags, self.message.key, self.message.hash, covered)
        return seal.sign() + signed + self.results


class Sealer:
    """Seals for a domain, with one key."""

    __slots__ = (
        "_body_canon", "_covered", "_header_canon", "_who", "authserv_id", "hash", "key", "want",
    )  # fmt: skip

    def __init__(
        self,
        domain: str,
        selector: str,
        key: PrivateKey,
        authserv_id: str,
        covered: Covered | None = None,
        *,
        header_canon: Canon = "relaxed",
        body_canon: Canon = "relaxed",
        hash_name: str = "sha256",
    ) -> None:
        """Take what all its sets have in common. Raises BadKeyError as `Signer` does."""
        agree(key, hash_name)
        self.key: Final = key
        self.hash: Final = hash_name
        self.want: Final = Want(body_canon, hash_name)
        self.authserv_id: Final = authserv_id
        self._header_canon = header_canon
        self._body_canon = body_canon
        self._covered = covered or Covered.of()
        self._who = [
            f"a={key.kind}-{hash_name}".encode(),
            b"d=" + domain.encode(),
            b"s=" + selector.encode(),
        ]

    def prepare(
        self, fields: Fields, hashes: BodyHashes, chain: Chain, results: bytes, now: float
    ) -> Unsealed | None:
        """Return the next set of a chain, all but its arithmetic; None where nothing may be added.

        Args:
            chain: judged, so that the seal says what was found.
            results: what stands behind the authserv-id of Authentication-Results, folded or not.
        """
        number = chain.highest + 1
        if chain.ended or number > arc.MAX_SETS:
            return None
        cv = chain.outcome if chain.outcome in (Outcome.NONE, Outcome.PASS) else Outcome.FAIL
        instance = b"i=%d" % number
        aar = b"ARC-Authentication-Results: %b; %b;\r\n\t%b\r\n" % (
            instance, self.authserv_id.encode(), results.strip(b" \t\r\n") or b"none",
        )  # fmt: skip
        names = [name for name in self._covered.names(fields) if name not in _CLOSED]
        stamp = b"t=%d" % now
        tags = [
            instance, *self._who,
            f"c={self._header_canon}/{self._body_canon}".encode(),
            stamp,
            folded_list(b"h=", names),
            b"bh=" + base64.b64encode(hashes[self.want].digest),
        ]  # fmt: skip
        message = unsigned(
            b"ARC-Message-Signature", tags, self.key, self.hash,
            fields.signed(fields.chosen(names), self._header_canon), self._header_canon,
        )  # fmt: skip
        # The seal of a chain that fails covers its own set only: of the others nobody knows
        # what belongs together (section 5.1.2).
        before = b""
        if cv is not Outcome.FAIL:
            before = arc.covered(chain.sets, fields, all_of_last=True)
        return Unsealed(
            aar, message, before, [instance, *self._who, stamp, b"cv=" + cv.value.encode()]
        )
