"""What class a reply is of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.reply import Reply, from_text
from angarium.mail.report.classify import classify, classify_text
from angarium.mail.report.codes import CLASSES


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("550 5.1.1 no such user", 10),
        ("550 5.1.99 odd", 10),
        ("552 5.2.2 over quota", 22),
        ("552 5.3.4 too big", 23),
        ("550 5.7.1 go away", 50),
        ("554 5.7.26 unauthenticated", 50),
        ("550 5.4.4 no route", 21),
        ("550 no such user", 10),
        ("552 full", 22),
        ("554 no", 40),
        ("520 what", 1),
        ("550 5.9.9 odd", 10),
        ("554 5.4.7 [internal] exceeded max time without delivery", 24),
        ("554 5.4.5 [internal] Delivery not attempted (message expired)", 24),
        ("554 5.4.4 [internal] Domain Lookup Failed", 21),
        ("550 5.4.4 [internal] NULL MX domain does not accept mail", 10),
        ("554 5.7.0 [internal] Message manually purged", 25),
    ],
)
def test_the_enhanced_code_decides_then_the_reply_code(line: str, code: int) -> None:
    assert classify(from_text(line)) == code


@given(
    st.integers(200, 599),
    st.from_regex(r"[245]\.\d{1,3}\.\d{1,3}", fullmatch=True),
    st.sampled_from(["", "[internal] x"]),
)
def test_every_reply_is_of_a_known_class(code: int, enhanced: str, text: str) -> None:
    assert classify(Reply(code, text, enhanced)) in CLASSES


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("550 5.7.1 relaying denied", 54),
        ("554 5.7.1 listed at spamhaus", 51),
        ("550 5.7.1 message rejected as spam", 52),
        ("550 5.7.1 user unknown", 50),  # the code is not contradicted, only made narrower
        ("554 5.0.0 mailbox full", 22),
        ("554 no such user", 10),
        ("550 mailbox is over quota", 22),
    ],
)
def test_words_say_what_a_wide_code_does_not(line: str, code: int) -> None:
    assert classify(from_text(line)) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("550 5.1.1 x", 10),
        ("550-5.2.2 full", 22),
        ("host said 5.2.2 x", 22),
        ("#5.1.1 odd", 10),
        ("this domain is no longer used", 21),
        ("192.0.2.1 odd", 1),
        ("", 1),
    ],
)
def test_text_is_classified_with_codes_or_without(text: str, code: int) -> None:
    assert classify_text(text) == code


@given(st.text())
def test_any_text_is_of_a_known_class(text: str) -> None:
    assert classify_text(text) in CLASSES
