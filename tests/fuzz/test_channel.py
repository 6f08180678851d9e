"""Octets nobody wrote, between processes: an error of ours or a message, and bounded memory."""

from collections.abc import Callable, Iterator

from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.channel import (
    MOST_OCTETS,
    MOST_OPEN,
    Answerer,
    Ask,
    Asker,
    ChannelError,
    HttpRequest,
    HttpResponse,
    Offer,
    Piece,
    Place,
    Refuse,
    Reply,
    Withdraw,
    frame,
)

HEAD = HttpRequest("GET", "/a", "/a", [(b"host", b"x")], "", 0, ("", 0), 1.0)
WELL = HttpResponse(200, [(b"a", b"b")])
NUMBERS = st.integers(0, 5)
SIZES = st.integers(-1, 40)
DATA = st.binary(max_size=20)
ASKED = st.one_of(
    st.builds(Ask, NUMBERS, st.just(HEAD), SIZES),
    st.builds(Piece, NUMBERS, DATA),
    st.builds(Withdraw, NUMBERS),
)
ANSWERED = st.one_of(
    st.builds(Offer, st.integers(0, 2), st.just(1), st.lists(st.just(Place("", "/")), max_size=3)),
    st.builds(Reply, NUMBERS, st.just(WELL), SIZES),
    st.builds(Piece, NUMBERS, DATA),
    st.builds(Refuse, NUMBERS, st.sampled_from(["busy", "unknown"])),
)
EDITS = st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=3)), max_size=3)


def fed(feed: Callable[[bytes], Iterator[object]], octets: bytes, cut: int) -> None:
    """Give octets, some at a time, until they are no message."""
    try:
        for at in range(0, len(octets), cut):
            for _ in feed(octets[at : at + cut]):
                pass
    except ChannelError:
        return


def spoilt(messages: list[object], edits: list[tuple[int, bytes]]) -> bytes:
    octets = b"".join(map(frame, messages))  # type: ignore[arg-type]
    for at, put in edits:
        place = at % (len(octets) + 1)
        octets = octets[:place] + put + octets[place + len(put) :]
    return octets


@given(st.lists(ASKED, max_size=12), EDITS, st.integers(1, 100))
def test_a_spoilt_asker(messages: list[object], edits: list[tuple[int, bytes]], cut: int) -> None:
    answerer = Answerer()
    fed(answerer.feed, spoilt(messages, edits), cut)
    assert answerer.open <= MOST_OPEN
    assert 0 <= answerer._contents.octets <= MOST_OCTETS


@given(st.lists(ANSWERED, max_size=12), EDITS, st.integers(1, 100), st.integers(0, 4))
def test_a_spoilt_worker(
    messages: list[object], edits: list[tuple[int, bytes]], cut: int, withdrawn: int
) -> None:
    asker = Asker()
    for _ in range(4):
        asker.ask(HEAD, b"x")
    asker.withdraw(withdrawn)
    fed(asker.feed, spoilt(messages, edits), cut)
    assert 0 <= asker.open <= 4
    assert 0 <= asker._contents.octets <= MOST_OCTETS
