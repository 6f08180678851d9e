"""Who of those that handed a message on may vouch for its author (RFC 8617 section 7.2.1).

    vouched(chain.outcome, fields, "author.example", believed)      a voucher, or None

A chain that holds says who had the message, and nothing about whether they are honest: anybody may
begin one with a set that says what they like. So from the newest set down each must be of a sealer
we believe, as far as one which saw DMARC pass for this author with its own eyes. What stands below
that one does not matter.
"""

from dataclasses import dataclass
from typing import Final

from angarium.mail.auth import arc, results
from angarium.mail.auth.arc import Chain, Set
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.signature import Outcome
from angarium.modules.guard.peers import Domains
from angarium.modules.sign.sealing import as_found

SHOWN: Final = 5  # sets which a report names, the newest


@dataclass(frozen=True, slots=True)
class Voucher:
    """Who vouches.

    Attributes:
        domain: of the sealer who saw DMARC pass.
        reason: how reports of DMARC say it (RFC 8617 section 7.2.2).
    """

    domain: str
    reason: str


def vouched(outcome: Outcome, fields: Fields, author: str, believed: Domains) -> Voucher | None:
    """Return who vouches for the author's domain; None: nobody whom we believe.

    Args:
        outcome: of the chain, when it was checked.
        fields: the header as it is now, with what has been put before it since.
    """
    if outcome is not Outcome.PASS:
        return None
    chain = as_found(arc.chain(fields), outcome)
    if chain.broken:
        return None
    for each in reversed(chain.sets):
        if not believed.has(each.domain):
            return None
        if _saw_pass(each, fields, author):
            return Voucher(each.domain, _reason(chain))
    return None


def _saw_pass(each: Set, fields: Fields, author: str) -> bool:
    """Say whether a set tells that DMARC passed for this author when it was made."""
    # i=1; authserv-id; results: what stands behind the number reads as Authentication-Results.
    _, _, said = fields.unfolded(each.results).partition(b";")
    return any(
        found.result == "pass" and found.properties.get("header.from", "").lower() == author
        for found in results.parsed(said).of("dmarc")
    )


def _reason(chain: Chain) -> str:
    words = ["arc=pass"]
    for number in range(len(chain.sets), max(0, len(chain.sets) - SHOWN), -1):
        sealed = chain.sets[number - 1].sealed
        if sealed is not None:
            selector = sealed.signature.selector
            words.append(f"as[{number}].d={sealed.signature.domain} as[{number}].s={selector}")
    return " ".join(words)
