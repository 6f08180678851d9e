"""What hosts say in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.report.phrases import classify


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Relaying denied. Proper authentication required", 54),
        ("we do not relay", 54),
        ("Mailbox full", 22),
        ("The email account that you tried to reach is over quota", 22),
        ("user has exceeded his disk quota", 22),
        ("Message size exceeds fixed limit", 23),
        ("message too large", 23),
        ("attachment type .exe not allowed", 53),
        ("Please confirm that you are a human", 100),
        ("Service unavailable; client host [192.0.2.1] blocked using zen.spamhaus.org", 51),
        ("your IP has a poor reputation", 51),
        ("Message rejected as spam by content filter", 52),
        ("This message contains a virus", 52),
        ("Host or domain name not found. Name service error", 21),
        ("this domain is no longer used", 21),
        ("User unknown in virtual alias table", 10),
        ("Requested action not taken: mailbox unavailable", 10),
        ("No such user here", 10),
        ("unknown local part bob", 10),
        ("connection timed out", 24),
        ("retry time exceeded", 24),
        ("Greylisted, please come back", 70),
        ("try again later", 70),
        ("rejected by local policy", 50),
        ("message failed DMARC evaluation", 50),
        ("what", None),
        ("", None),
    ],
)
def test_the_narrow_meaning_goes_before_the_wide_one(text: str, code: int | None) -> None:
    assert classify(text) == code


def test_the_choice_can_be_limited() -> None:
    assert classify("user unknown: mailbox full", frozenset((10,))) == 10
    assert classify("user unknown", frozenset((54,))) is None


@given(st.text(st.sampled_from("mailbox full user quota size to large ") | st.characters()))
def test_any_text_is_looked_at(text: str) -> None:
    classify(text)


@pytest.mark.parametrize("bit", ["user ", "message ", "attachment ", "exceed ", " ", "relay "])
def test_a_long_text_takes_no_long_time(bit: str) -> None:
    classify(bit * 100_000)
