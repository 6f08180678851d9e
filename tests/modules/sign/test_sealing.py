"""What a set of ARC says, made out of what was found when the message came in."""

import pytest

from angarium.mail.auth import arc
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.asking import at_once
from angarium.mail.auth.digest import hashed
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.seal import Sealer
from angarium.mail.auth.signature import Outcome
from angarium.mail.auth.tags import parsed
from angarium.modules.sign.sealing import Sealing, as_found, covered
from helpers.signing import NOW, key, zone

ASK = zone(s1=key().record())
HEADER = (
    b"Authentication-Results: mx.example; spf=pass\r\n"
    b"Authentication-Results: other.example; spf=fail\r\n"
    b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1; h=from; bh=; b=\r\n"
    b"From: joe@example.com\r\n"
)
BODY = b"text\r\n"


def sealing(told: bytes = b"") -> Sealing:
    sealer = Sealer("example.com", "s1", key(), "mx.example", covered((), ()))
    return Sealing(sealer, "mx.example", told)


def made(header: bytes, outcome: Outcome, told: bytes = b"") -> bytes:
    """Return the message with a set over a chain of which this was found."""
    who = sealing(told).over(outcome)
    work = who.prepare(Fields(header), hashed({who.want}, [BODY]), NOW)
    assert work is not None
    return work.sign() + header


def judged(header: bytes) -> Chain:
    return at_once(arc.verify(Fields(header), [BODY], ASK))


def test_a_set_repeats_the_results_of_this_host_and_adds_that_of_the_chain() -> None:
    first = made(HEADER, Outcome.NONE)
    assert judged(first).outcome is Outcome.PASS
    [said] = [Fields(first).unfolded(row) for row in Fields(first).rows(arc.RESULTS)]
    assert said == b"i=1; mx.example;\tarc=none;\tspf=pass"
    ours = b"Authentication-Results: mx.example; arc=pass\r\n" + first
    fields = Fields(made(ours, Outcome.PASS))
    assert fields.unfolded(fields.rows(arc.RESULTS)[0]).count(b"arc=") == 1


def test_what_is_to_be_said_may_be_given() -> None:
    fields = Fields(made(HEADER, Outcome.NONE, b"spf=neutral (so it was told)"))
    said = fields.unfolded(fields.rows(arc.RESULTS)[0])
    assert said == b"i=1; mx.example;\tspf=neutral (so it was told)"


@pytest.mark.parametrize("listed", [(), ("From", "DKIM-Signature", "Authentication-Results")])
def test_signatures_of_dkim_are_covered_and_results_never(listed: tuple[str, ...]) -> None:
    names = covered(listed, ()).names(Fields(HEADER))
    assert b"dkim-signature" in names
    assert b"authentication-results" not in names


def test_a_set_says_what_was_found_then_and_not_what_is_there_now() -> None:
    first = made(HEADER, Outcome.NONE)
    changed = made(first, Outcome.PASS)
    assert judged(changed).outcome is Outcome.PASS
    ended = Fields(made(first, Outcome.FAIL))
    assert parsed(ended.value(ended.rows(arc.SEAL)[0]))[b"cv"] == b"fail"


def test_a_chain_whose_sets_are_others_now_has_failed() -> None:
    first = Fields(made(HEADER, Outcome.NONE))
    assert as_found(arc.chain(first), Outcome.NONE).broken
    assert as_found(arc.chain(Fields(HEADER)), Outcome.PASS).broken
    assert not as_found(arc.chain(first), Outcome.PASS).broken
    torn = Fields(first.raw.replace(b"ARC-Seal", b"X-Seal"))
    assert as_found(arc.chain(torn), Outcome.PASS).broken


def test_a_chain_which_was_ended_gets_no_set() -> None:
    header = made(made(HEADER, Outcome.NONE), Outcome.FAIL)
    who = sealing().over(Outcome.FAIL)
    assert who.prepare(Fields(header), hashed({who.want}, [BODY]), NOW) is None
