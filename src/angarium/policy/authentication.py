"""What is known of where a message is from, as scripts in Python see it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature of DKIM which was checked.

    Attributes:
        result: pass, fail, policy, neutral, permerror or temperror.
        reason: why it does not pass; "" if it does.
        domain, selector, identity, algorithm: what it says of itself; "" where it cannot be read.
        bits: of the key; 0 where it was not come to that.
    """

    result: str
    reason: str = ""
    domain: str = ""
    selector: str = ""
    identity: str = ""
    algorithm: str = ""
    bits: int = 0

    @property
    def passed(self) -> bool:
        return self.result == "pass"


@dataclass(frozen=True, slots=True)
class Authentication:
    """What modules have found about a message; "" and None where nobody has looked.

    Attributes:
        spf: pass, fail, softfail, neutral, none, permerror or temperror; for `spf_domain`.
        dkim: the signatures, from the top.
        arc: pass, fail or none.
        dmarc: pass, fail, none, permerror or temperror; for `dmarc_domain`.
        dmarc_policy: what that domain wants: none, quarantine or reject; "" without a record.
    """

    spf: str = ""
    spf_domain: str = ""
    dkim: Sequence[Signature] | None = None
    arc: str = ""
    dmarc: str = ""
    dmarc_domain: str = ""
    dmarc_policy: str = ""

    def signed_by(self, domain: str) -> bool:
        """Say whether a signature of a domain, or of one below it, passes."""
        name = domain.lower()
        return any(
            each.passed and f".{each.domain}".endswith(f".{name}") for each in self.dkim or ()
        )
