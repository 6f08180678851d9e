"""What modules have found about the message under way, and how those behind them hear of it.

    found = found_of(session)               made with the first question about a message
    found.spf, found.signatures             what SPF and DKIM said; DMARC puts them together
    found.report(mail, host, [Result("spf", "pass", {...})])

One object for a message, kept with its session: the variables of its context are for scripts, these
are for us. The rule: who checks something notes it here, who wants to know it asks here, and no
module asks another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from angarium.mail.auth import results
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.dkim import Verdict
from angarium.mail.auth.dmarc.evaluate import Evaluation
from angarium.mail.auth.results import Result
from angarium.mail.auth.spf.check import Finding
from angarium.policy.context import Session
from angarium.policy.mail import Mail

_PLACE: Final = "authentication"  # in the tables of a session
FIELD: Final = "Authentication-Results"


@dataclass(slots=True)
class Found:
    """What was found about one message.

    Attributes:
        mail: the message.
        spf: the check of the envelope's sender; None: nobody has checked.
        signatures: a result of method "dkim" for each signature, with header.d and header.s;
            None: nobody has looked for signatures.
        verdicts: what those results are of, for scripts; None: this module did not look itself.
        arc: the chain of those who handed it on; None: nobody has looked.
        dmarc: what the author's domain wants.
        cleaned: fields which claimed to be ours have been removed.
    """

    mail: Mail
    spf: Finding | None = None
    signatures: list[Result] | None = None
    verdicts: list[Verdict] | None = None
    arc: Chain | None = None
    dmarc: Evaluation | None = None
    cleaned: bool = field(default=False)

    def report(self, mail: Mail, host: str, found: Sequence[Result]) -> None:
        """Put what was found before the message, in a field of its own (RFC 8601).

        Fields which claim to be ours are removed first (section 5): who reads ours believes them.
        """
        self.clean(mail, host)
        octets = results.written(host, found)
        mail.edited.prepend(FIELD, value_of(octets))

    def clean(self, mail: Mail, host: str) -> None:
        """Remove fields which came with the message and claim to be ours, or cannot be read."""
        if self.cleaned:
            return
        self.cleaned = True
        if FIELD.lower().encode() not in mail.draft.names:
            return

        def ours(value: bytes) -> bool:
            named = results.parsed(value).authserv_id.lower()
            return not named or named == host.lower()

        mail.edited.delete_where(FIELD, ours)


def found_of(session: Session, mail: Mail | None = None) -> Found:
    """Return what was found about the message of a session, or about the one which is given."""
    mail = mail or session.mail
    assert mail is not None, "there is no message"
    kept = session.tables.get(_PLACE)
    # For each recipient there is a view of the message; it is still the same message.
    if isinstance(kept, Found) and (kept.mail is mail or kept.mail is session.mail):
        return kept
    session.tables[_PLACE] = made = Found(mail)
    return made


def value_of(octets: bytes) -> bytes:
    """Return the value of a whole field, folded as it is."""
    return octets.partition(b":")[2].strip(b" \r\n")
