import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.reply import Reply, from_text


def test_each_line_carries_both_codes() -> None:
    reply = Reply(550, "no\nreally no", "5.1.1")
    assert reply.encode() == b"550-5.1.1 no\r\n550 5.1.1 really no\r\n"
    assert str(reply) == "550 5.1.1 no really no"


@pytest.mark.parametrize(
    ("code", "positive", "temporary", "permanent"),
    [(250, True, False, False), (354, True, False, False), (421, False, True, False)]
    + [(550, False, False, True)],
)
def test_the_first_digit_decides(
    code: int, positive: bool, temporary: bool, permanent: bool
) -> None:
    reply = Reply(code, "x")
    assert (reply.positive, reply.temporary, reply.permanent) == (positive, temporary, permanent)


@pytest.mark.parametrize("text", ["a\r\n250 ok", "a\rb", "nul\0", "tab\tbed"])
def test_a_reply_cannot_smuggle_a_second_one(text: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        Reply(550, text)


@pytest.mark.parametrize("code", [0, 199, 600])
def test_a_code_out_of_range_is_a_bug_of_the_caller(code: int) -> None:
    with pytest.raises(ValueError, match="no SMTP reply code"):
        Reply(code, "x")


def test_text_of_an_operator_is_read_with_or_without_codes() -> None:
    assert from_text("554 5.7.0 Gone") == Reply(554, "Gone", "5.7.0")
    assert from_text("Gone fishing", default=554) == Reply(554, "Gone fishing")
    assert from_text("550 4.7.0 odd") == Reply(550, "4.7.0 odd")


@given(st.text())
def test_any_text_of_an_operator_makes_a_reply(text: str) -> None:
    encoded = from_text(text).encode()
    assert encoded.endswith(b"\r\n")
    assert all(line[:3].isdigit() for line in encoded.split(b"\r\n")[:-1])


def test_replies_are_values() -> None:
    assert {Reply(250, "ok"), Reply(250, "ok")} == {Reply(250, "ok")}
