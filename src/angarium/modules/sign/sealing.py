"""Sets of ARC for messages that leave, as `Desk` puts them before them.

    sealing = Sealing(sealer, host)
    sealed = desk.sign(mail, sealing.over(Outcome.PASS))        whether, or to be awaited

What the chain was worth was found when the message came in, before anything was changed in it;
here it is only sealed. Whose chain had failed before gets no set, and neither does one in which
the sets are no more what they were.
"""

from typing import Final

from angarium.mail.auth import arc, results
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.covered import NEVER, RECOMMENDED, Covered
from angarium.mail.auth.digest import BodyHashes, Want
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.keys import PrivateKey
from angarium.mail.auth.results import Result
from angarium.mail.auth.seal import Sealer, Unsealed
from angarium.mail.auth.signature import Outcome

# Hosts behind this one change these, or remove them (RFC 8617 section 4.1.2).
_NEVER: Final = NEVER - {b"dkim-signature"} | {
    results.NAME, arc.RESULTS, arc.MESSAGE, arc.SEAL,
}  # fmt: skip
_USUAL: Final = (*[name.decode() for name in RECOMMENDED], "dkim-signature")


def covered(names: tuple[str, ...], oversigned: tuple[str, ...]) -> Covered:
    """Return what a set covers; nothing: the usual fields, and the signatures of DKIM."""
    return Covered.of(names or _USUAL, oversigned, never=_NEVER)


class Sealing:
    """One who seals; for each result there is one who says it.

    Args:
        host: whose Authentication-Results the set repeats.
        told: what is to be said instead of those.
    """

    __slots__ = ("_over", "sealer")

    def __init__(self, sealer: Sealer, host: str, told: bytes = b"") -> None:
        self.sealer: Final = sealer
        self._over = {
            each: _Over(sealer, host, each, told)
            for each in (Outcome.NONE, Outcome.PASS, Outcome.FAIL)
        }

    def over(self, outcome: Outcome) -> "_Over":
        """Return who seals chains of which this was found."""
        return self._over[outcome]


class _Over:
    """Makes the sets over chains of one result."""

    __slots__ = ("_host", "_outcome", "_sealer", "_told", "key", "want")

    def __init__(self, sealer: Sealer, host: str, outcome: Outcome, told: bytes) -> None:
        self.want: Final[Want] = sealer.want
        self.key: Final[PrivateKey] = sealer.key
        self._sealer = sealer
        self._host = host
        self._outcome = outcome
        self._told = told

    def prepare(self, fields: Fields, hashes: BodyHashes, now: float) -> Unsealed | None:
        found = as_found(arc.chain(fields), self._outcome)
        said = self._told or results.said(fields, self._host)
        if not self._told and not _has_arc(said):
            clause = results.clauses([Result("arc", found.outcome.value)])
            said = clause + b";\r\n\t" + said if said else clause
        return self._sealer.prepare(fields, hashes, found, said, now)


def as_found(chain: Chain, outcome: Outcome) -> Chain:
    """Give a chain as it is now the result it had when it came in."""
    if chain.broken:
        return chain
    if outcome is Outcome.FAIL:
        return chain.fail("it failed when it came in")
    if (outcome is Outcome.PASS) is not bool(chain.sets):
        return chain.fail("its sets are not those which came in")
    chain.outcome = outcome
    return chain


def _has_arc(said: bytes) -> bool:
    return bool(results.parsed(b"x; " + said).of("arc"))
