"""Whom we believe that an author's domain stood behind a message when they got it."""

import pytest

from angarium.mail.auth import arc
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.asking import at_once
from angarium.mail.auth.digest import hashed
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.seal import Sealer
from angarium.mail.auth.signature import Outcome
from angarium.modules.guard.peers import Domains
from angarium.modules.sign.vouching import SHOWN, Voucher, vouched
from helpers.signing import NOW, key
from helpers.zones import Records

HEADER = b"From: joe@a.example\r\n"
BODY = b"text\r\n"
SAW = b"dmarc=pass (p=reject) header.from=A.example"
NOT = b"dmarc=fail header.from=a.example"
NAMES = ("one.example", "two.example", "three.example")
ASK = Records({f"s._domainkey.{name}": [("TXT", key("ed25519").record())] for name in NAMES})


def judged(header: bytes) -> Chain:
    return at_once(arc.verify(Fields(header), [BODY], ASK))


def handed_on(*hosts: tuple[str, bytes]) -> bytes:
    """Return the header of a message these have handed on, with what each of them found."""
    header = HEADER
    for domain, results in hosts:
        sealer = Sealer(domain, "s", key("ed25519"), f"mx.{domain}")
        fields = Fields(header)
        work = sealer.prepare(fields, hashed({sealer.want}, [BODY]), judged(header), results, NOW)
        assert work is not None
        header = work.sign() + header
    return header


def found(header: bytes, *believed: str, author: str = "a.example") -> Voucher | None:
    above = b"Authentication-Results: mx.example; spf=none\r\n" + header
    return vouched(judged(header).outcome, Fields(above), author, Domains(believed))


def test_a_sealer_whom_we_believe_vouches_for_what_it_saw() -> None:
    header = handed_on(("one.example", SAW))
    assert found(header, "one.example") == Voucher(
        "one.example", "arc=pass as[1].d=one.example as[1].s=s"
    )
    assert found(header, "*.one.example") is None
    assert found(header, "*.example") is not None
    assert found(header) is None
    assert found(header, "one.example", author="b.example") is None
    assert found(handed_on(("one.example", NOT)), "one.example") is None
    assert found(handed_on(("one.example", b"dmarc=pass")), "one.example") is None


@pytest.mark.parametrize(
    ("hosts", "believed", "voucher"),
    [
        # Who had it later may have changed it: all of them must be believed.
        ((("one.example", SAW), ("two.example", NOT)), ("one.example",), ""),
        ((("one.example", SAW), ("two.example", NOT)), NAMES, "one.example"),
        # A stranger may have begun the chain with what it likes; it is the next who saw it pass.
        ((("one.example", SAW), ("two.example", NOT)), ("two.example",), ""),
        ((("one.example", NOT), ("two.example", SAW)), ("two.example",), "two.example"),
    ],
)
def test_each_from_the_newest_to_the_one_who_saw_it_must_be_believed(
    hosts: tuple[tuple[str, bytes], ...], believed: tuple[str, ...], voucher: str
) -> None:
    who = found(handed_on(*hosts), *believed)
    assert (who.domain if who else "") == voucher


def test_a_broken_chain_vouches_for_nothing() -> None:
    header = handed_on(("one.example", SAW)).replace(b"a.example\r\n", b"b.example\r\n")
    assert found(header, "one.example", author="b.example") is None
    assert found(HEADER, "one.example") is None


def test_a_comment_in_a_set_is_no_result() -> None:
    header = handed_on(("one.example", b"spf=fail (; dmarc=pass header.from=a.example)"))
    assert found(header, "one.example") is None


def test_a_report_names_the_newest_sealers_only() -> None:
    header = handed_on(("one.example", SAW), *[("two.example", NOT)] * (SHOWN + 1))
    who = found(header, "one.example", "two.example")
    assert who is not None
    assert who.reason.count(".d=") == SHOWN
    assert who.reason.startswith(f"arc=pass as[{SHOWN + 2}].d=two.example as[{SHOWN + 2}].s=s")


def test_a_chain_which_is_torn_since_it_was_checked_vouches_for_nothing() -> None:
    header = handed_on(("one.example", SAW)).replace(b"ARC-Seal", b"X-Seal")
    assert vouched(Outcome.PASS, Fields(header), "a.example", Domains(["one.example"])) is None
