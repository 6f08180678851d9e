"""Questions and answers between processes: whole, in pieces, at once, and what breaks them."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire import channel
from angarium.wire.channel import (
    MAX_FRAME,
    MOST_CONTENT,
    MOST_ENDPOINTS,
    MOST_OPEN,
    PIECE,
    VERSION,
    Answerer,
    Ask,
    Asked,
    Asker,
    ChannelError,
    HttpRequest,
    HttpResponse,
    Message,
    Offer,
    Offered,
    Piece,
    Place,
    Refuse,
    Refused,
    Replied,
    Reply,
    Withdraw,
    Withdrawn,
    frame,
)

HEAD = HttpRequest(
    "POST", "/a?b=%20", "/a", [(b"host", b"x")], "192.0.2.1", 4711, ("192.0.2.2", 80), 9.5
)
WELL = HttpResponse(200, [(b"content-type", b"text/plain")])
CONTENTS = st.integers(0, 3 * PIECE).map(lambda size: bytes(range(256)) * (size // 256 + 1))


def conversing(answerer: Answerer, asker: Asker) -> Callable[..., list[object]]:
    """Return what brings octets from one side to the other, and back what it says to them."""

    def told(to_worker: bytes, cut: int = 1 << 20) -> list[object]:
        happened: list[object] = []
        for at in range(0, len(to_worker), cut):
            for event in answerer.feed(to_worker[at : at + cut]):
                if isinstance(event, bytes):
                    happened += asker.feed(event)
                else:
                    happened.append(event)
        return happened

    return told


@given(st.lists(CONTENTS, min_size=1, max_size=3), st.integers(1, 200_000), st.randoms())
def test_questions_and_answers_come_out_as_they_went_in_however_they_are_cut(
    contents: list[bytes], cut: int, random: st.DataObject
) -> None:
    answerer, asker = Answerer(), Asker()
    told = conversing(answerer, asker)
    asked = {}
    octets = b""
    for content in contents:
        number, frames = asker.ask(HEAD, content)
        asked[number] = content
        octets += b"".join(frames)
    heard = told(octets, cut)
    assert heard == [Asked(number, HEAD, content) for number, content in asked.items()]
    assert answerer.open == asker.open == len(contents)
    numbers = list(asked)
    random.shuffle(numbers)  # type: ignore[attr-defined]
    said = b"".join(b"".join(answerer.reply(each, WELL, asked[each][::-1])) for each in numbers)
    came = [one for at in range(0, len(said), cut) for one in asker.feed(said[at : at + cut])]
    assert came == [Replied(each, WELL, asked[each][::-1]) for each in numbers]
    assert answerer.open == asker.open == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "reply", "refuse", "withdraw", "deliver"]), st.integers(0, 9)
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 4))
def test_each_question_is_answered_once_or_withdrawn_whatever_crosses(
    steps: list[tuple[str, int]], most: int
) -> None:
    answerer, asker = Answerer(most), Asker()
    to_worker, to_asker = bytearray(), bytearray()
    waiting: set[int] = set()  # asked, not withdrawn, nothing heard
    working: set[int] = set()  # the worker knows them
    withdrawn: set[int] = set()

    def deliver(share: float = 1.0) -> None:
        size = int(len(to_worker) * share)
        data = bytes(to_worker[:size])
        del to_worker[:size]
        for event in answerer.feed(data):
            if isinstance(event, bytes):
                to_asker.extend(event)
            elif isinstance(event, Asked):
                working.add(event.number)
            elif event.number in working:
                working.discard(event.number)
                to_asker.extend(answerer.refuse(event.number, "withdrawn"))
        assert answerer.open <= most
        size = int(len(to_asker) * share)
        data = bytes(to_asker[:size])
        del to_asker[:size]
        for heard in asker.feed(data):
            assert isinstance(heard, Replied | Refused)
            assert heard.number not in withdrawn
            waiting.remove(heard.number)

    for what, pick in steps:
        if what == "ask":
            number, frames = asker.ask(HEAD, b"x" * pick * 1000)
            to_worker.extend(b"".join(frames))
            waiting.add(number)
        elif what == "withdraw" and waiting:
            number = sorted(waiting)[pick % len(waiting)]
            waiting.remove(number)
            withdrawn.add(number)
            to_worker.extend(asker.withdraw(number))
        elif what in ("reply", "refuse") and working:
            number = sorted(working)[pick % len(working)]
            working.remove(number)
            if what == "reply":
                to_asker.extend(b"".join(answerer.reply(number, WELL, b"y" * pick)))
            else:
                to_asker.extend(answerer.refuse(number, "unknown"))
        elif what == "deliver":
            deliver(pick / 9)
    deliver()
    for number in sorted(working):
        to_asker.extend(b"".join(answerer.reply(number, WELL, b"")))
    deliver()
    assert not waiting
    assert answerer.open == asker.open == 0


def test_what_can_be_asked_is_said_and_that_nothing_can() -> None:
    answerer, asker = Answerer(), Asker()
    places = [Place("GET", "/a"), Place("", "/b")]
    assert list(asker.feed(answerer.offer(3, places))) == [Offered(Offer(VERSION, 3, places))]
    [offered] = asker.feed(answerer.offer(3, places, leaving=True))
    assert isinstance(offered, Offered)
    assert offered.offer.leaving
    number, frames = asker.ask(HEAD, b"late")
    assert conversing(answerer, asker)(b"".join(frames)) == [Refused(number, "leaving")]
    assert list(answerer.feed(frame(Withdraw(number)))) == []
    many = [Place("GET", f"/{number}") for number in range(MOST_ENDPOINTS + 1)]
    assert len(list(asker.feed(answerer.offer(4, many)))) == 1


def test_one_question_too_many_is_refused_and_the_others_go_on() -> None:
    answerer, asker = Answerer(1), Asker()
    told = conversing(answerer, asker)
    first, frames = asker.ask(HEAD, b"")
    assert told(b"".join(frames)) == [Asked(first, HEAD, b"")]
    second, frames = asker.ask(HEAD, b"dropped" * 20_000)
    assert told(b"".join(frames)) == [Refused(second, "busy")]
    said = b"".join(answerer.reply(first, WELL, b"yes"))
    assert list(asker.feed(said)) == [Replied(first, WELL, b"yes")]
    third, frames = asker.ask(HEAD, b"now")
    assert told(b"".join(frames)) == [Asked(third, HEAD, b"now")]


def test_contents_which_are_too_much_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "MOST_OCTETS", 100)
    answerer = Answerer()
    assert list(answerer.feed(frame(Ask(1, HEAD, 60)))) == []
    assert list(answerer.feed(frame(Ask(2, HEAD, 60)))) == [frame(Refuse(2, "busy"))]
    assert list(answerer.feed(frame(Piece(1, b"x" * 60)))) == [Asked(1, HEAD, b"x" * 60)]
    assert list(answerer.feed(frame(Ask(3, HEAD, 60)))) == []


def test_a_question_withdrawn_while_it_is_being_sent_is_dropped() -> None:
    answerer = Answerer()
    list(answerer.feed(frame(Ask(1, HEAD, 6)) + frame(Piece(1, b"abc"))))
    assert list(answerer.feed(frame(Withdraw(1)))) == [frame(Refuse(1, "withdrawn"))]
    assert list(answerer.feed(frame(Piece(1, b"def")) + frame(Ask(1, HEAD, 0)))) == [
        Asked(1, HEAD, b"")
    ]


def test_a_question_withdrawn_while_it_is_answered_is_told() -> None:
    answerer, asker = Answerer(), Asker()
    number, frames = asker.ask(HEAD, b"")
    told = conversing(answerer, asker)
    told(b"".join(frames))
    withdrawal = asker.withdraw(number)
    assert asker.withdraw(number) == b""
    assert told(withdrawal) == [Withdrawn(number)]
    assert list(asker.feed(answerer.refuse(number, "withdrawn"))) == []
    assert asker.open == 0
    assert told(withdrawal) == []


@pytest.mark.parametrize(
    "messages",
    [
        [Piece(1, b"x")],
        [Ask(1, HEAD, -1)],
        [Ask(1, HEAD, MOST_CONTENT + 1)],
        [Ask(1, HEAD, 0), Ask(1, HEAD, 0)],
        [Ask(1, HEAD, 2), Ask(1, HEAD, 2)],
        [Ask(1, HEAD, 2), Piece(1, b"")],
        [Ask(1, HEAD, 2), Piece(1, b"xyz")],
        [Ask(1, HEAD, 2), Piece(1, b"xy"), Piece(1, b"z")],
        [Ask(number, HEAD, 2) for number in range(MOST_OPEN + 1)],
        [Refuse(1, "busy")],
        [Offer(VERSION, 1, [])],
    ],
    ids=str,
)
def test_what_no_asker_says_ends_it(messages: list[Message]) -> None:
    octets = b"".join(map(frame, messages))
    answerer = Answerer()
    with pytest.raises(ChannelError):
        for _ in answerer.feed(octets):
            pass


@pytest.mark.parametrize(
    "messages",
    [
        [Reply(2, WELL, 0)],
        [Reply(1, WELL, -1)],
        [Reply(1, WELL, MOST_CONTENT + 1)],
        [Reply(1, WELL, 0), Reply(1, WELL, 0)],
        [Reply(1, WELL, 2), Reply(1, WELL, 2)],
        [Reply(1, WELL, 2), Refuse(1, "busy")],
        [Reply(1, WELL, 2), Piece(1, b"xyz")],
        [Refuse(2, "busy")],
        [Piece(1, b"x")],
        [Ask(1, HEAD, 0)],
        [Offer(VERSION, 1, [Place("GET", "/")] * (MOST_ENDPOINTS + 1))],
    ],
    ids=str,
)
def test_what_no_worker_says_ends_it(messages: list[Message]) -> None:
    asker = Asker()
    asker.ask(HEAD, b"")
    with pytest.raises(ChannelError):
        for _ in asker.feed(b"".join(map(frame, messages))):
            pass


def test_a_frame_and_a_content_have_a_bound() -> None:
    with pytest.raises(ChannelError, match="frame too long"):
        list(Answerer().feed((MAX_FRAME + 1).to_bytes(4, "big")))
    with pytest.raises(ChannelError, match="message too long"):
        frame(Piece(1, bytes(MAX_FRAME)))
    asker = Asker()
    with pytest.raises(ChannelError, match="content too long"):
        asker.ask(HEAD, bytes(MOST_CONTENT + 1))
    assert asker.open == 0
