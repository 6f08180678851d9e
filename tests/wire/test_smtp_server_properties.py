"""What holds for any octets at all; limits are within reach of the strategies."""

from hypothesis import given
from hypothesis import strategies as st

from angarium.core.reply import Reply
from angarium.wire.smtp_grammar import Syntax
from angarium.wire.smtp_server import Body, Refused, Signal, SmtpServer

LIMIT = 20
LIMITS = {b"": LIMIT, b"MAIL": LIMIT + 4, b"AUTH": 2 * LIMIT}
LINES = st.sampled_from(
    [
        b"EHLO a", b"MAIL FROM:<a@b.example>", b"MAIL FROM:<>", b"RCPT TO:<c@d>", b"DATA", b"RSET",
        b"QUIT", b"BDAT 3", b"BDAT 5 LAST", b"BDAT 0 LAST", b"BDAT x", b".", b"..", b"\n.", b"\r",
        b"x" * (LIMIT - 2), b"x" * (LIMIT - 1), b"AUTH " + b"y" * (2 * LIMIT),
    ]
)  # fmt: skip
OPENING = [b"MAIL FROM:<>", b"RCPT TO:<c@d>"]
DIALOGUE = st.tuples(
    st.sampled_from([[], OPENING, [*OPENING, b"DATA"], [*OPENING, b"BDAT 4"]]),
    st.lists(LINES | st.binary(max_size=20), max_size=12),
).map(lambda parts: b"\r\n".join([*parts[0], *parts[1]]))
VERDICTS = st.lists(st.sampled_from([250, 250, 250, 451, 550, 421]), max_size=12)
Run = tuple[list[object], bytes, bytes]


def play(dialogue: bytes, cut: int, verdicts: list[int]) -> Run:
    """Return the events, all body octets, and what was sent."""
    session, body, sent = SmtpServer(Syntax(), limits=LIMITS), b"", b""
    events: list[object] = []
    for start in range(0, len(dialogue), cut):
        session.receive(dialogue[start : start + cut])
        while (event := session.next_event()) is not Signal.NEED_DATA:
            if isinstance(event, Body):
                body += event.data
                continue
            events.append(event)
            if not isinstance(event, Refused):
                code = verdicts[len(events) % len(verdicts)] if verdicts else 250
                session.answer(Reply(code, "so"))
        sent += session.data_to_send()
    return events, body, sent


@given(DIALOGUE, st.integers(1, 9), VERDICTS)
def test_the_cuts_of_the_network_change_nothing(
    dialogue: bytes, cut: int, verdicts: list[int]
) -> None:
    """No input raises, and any cutting of it gives the same events and the same replies."""
    whole = play(dialogue, len(dialogue) or 1, verdicts)
    events, body, sent = play(dialogue, cut, verdicts)
    assert (events, sent) == (whole[0], whole[2])
    # A body which has not ended may wait for its end with some octets more or less.
    assert body.startswith(whole[1]) or whole[1].startswith(body)
    assert abs(len(body) - len(whole[1])) <= 4


@given(DIALOGUE, st.integers(1, 9))
def test_every_command_gets_one_reply_and_every_reply_is_a_line(dialogue: bytes, cut: int) -> None:
    events, _, sent = play(dialogue, cut, [])
    assert len(sent.splitlines()) == len(events)
    assert not sent or sent.endswith(b"\r\n")


@given(st.binary(max_size=200), st.integers(1, 50))
def test_no_octets_raise_or_are_kept_without_bound(data: bytes, cut: int) -> None:
    play(data, cut, [])


def test_a_line_may_be_cut_at_its_crlf() -> None:
    for size in range(LIMIT - 3, LIMIT + 1):
        line = b"x" * size + b"\r\n"
        assert play(line, 1, []) == play(line, 100, [])
