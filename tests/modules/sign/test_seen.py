"""Rows for reports of DMARC: what of a message counts as alike."""

from typing import cast

import pytest

from angarium.mail.auth.dmarc.evaluate import Evaluation, Result
from angarium.mail.auth.dmarc.record import Policy
from angarium.mail.auth.results import Result as Told
from angarium.modules.sign.found import Found
from angarium.modules.sign.seen import MAX_SIGNATURES, row_of
from angarium.policy.mail import Mail

NO_MAIL = cast(Mail, None)


def found(signatures: int = 1) -> Found:
    told = Told("dkim", "pass", {"header.d": "a.example", "header.s": "one"})
    return Found(NO_MAIL, signatures=[told] * signatures)


def evaluation(disposition: Policy, *, spared: bool = False) -> Evaluation:
    return Evaluation(
        Result.FAIL, "a.example", "a.example", disposition=disposition, dkim=True, spared=spared
    )


def test_messages_of_one_client_and_sender_are_alike() -> None:
    row = row_of("192.0.2.1", "u@Sub.A.example", found(), evaluation(Policy.NONE), Policy.NONE)
    again = row_of("192.0.2.1", "v@sub.a.example", found(), evaluation(Policy.NONE), Policy.NONE)
    assert row == again
    assert (row.dkim, row.spf) == ("pass", "fail")
    assert row.signatures[0].domain == "a.example"


@pytest.mark.parametrize(
    ("wanted", "done", "reasons"),
    [
        (evaluation(Policy.NONE), Policy.NONE, ()),
        (evaluation(Policy.NONE, spared=True), Policy.NONE, ("sampled_out",)),
        (evaluation(Policy.REJECT), Policy.NONE, ("local_policy",)),
    ],
)
def test_why_a_policy_was_not_followed_is_told(
    wanted: Evaluation, done: Policy, reasons: tuple[str, ...]
) -> None:
    row = row_of("192.0.2.1", "u@a.example", found(), wanted, done)
    assert tuple(kind for kind, _ in row.reasons) == reasons


def test_no_message_has_signatures_without_end() -> None:
    row = row_of("192.0.2.1", "", found(1000), evaluation(Policy.NONE), Policy.NONE)
    assert len(row.signatures) == MAX_SIGNATURES
