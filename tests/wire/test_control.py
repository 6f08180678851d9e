"""Messages of the console, whole and in pieces, and whatever else may come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.control import (
    MAX_REQUEST,
    PIECE,
    Ask,
    Bye,
    ControlError,
    End,
    Greeting,
    Message,
    Part,
    answers,
    line,
    parts,
    requests,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.builds(Ask, TEXTS, st.sampled_from(["text", "json"])), max_size=5), st.data())
def test_requests_come_out_as_they_went_in_however_they_are_cut(
    asked: list[Ask], data: st.DataObject
) -> None:
    octets = b"".join(map(line, asked))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=8)))
    reader, found = requests(), []
    for begin, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        found += reader.feed(octets[begin:end])
    assert found == asked


@pytest.mark.parametrize(
    "message",
    [
        Greeting(1, "0.1", "root", 60.0),
        Part('a "quoted"\nline @ \u2028'),
        End(failed=True, transaction=True),
        Bye("enough"),
    ],
)
def test_what_a_server_says_is_read_by_a_client(message: Message) -> None:
    assert answers().feed(line(message)) == [message]


@given(st.binary(max_size=200))
def test_any_octets_are_messages_or_an_error(octets: bytes) -> None:
    try:
        found = requests().feed(octets + b"\n")
    except ControlError:
        return
    assert all(isinstance(each, Ask) for each in found)


@pytest.mark.parametrize(
    "octets",
    [
        b"\n",
        b"null\n",
        b'{"is":"part","text":"a server says this"}\n',
        b'{"is":"ask"}\n',
        b'{"is":"ask","line":1}\n',
        b'{"is":"ask","line":"\\ud800"}\n',
        b'{"is":"ask","line":"\xff"}\n',
        b'{"is":"ask","line":"x","form":"yaml"}\n',
        b'{"is":"ask","line":"x","deep":' + b"[" * 100_000 + b"\n",
    ],
)
def test_what_is_no_request_is_an_error(octets: bytes) -> None:
    with pytest.raises(ControlError):
        requests().feed(octets)


def test_fields_of_a_later_version_are_passed_over() -> None:
    assert requests().feed(b'{"is":"ask","line":"x","later":[1,{}]}\n') == [Ask("x")]


def test_a_request_may_be_so_long_and_no_longer() -> None:
    shell = len(line(Ask(""))) - 1
    longest = Ask("x" * (MAX_REQUEST - shell))
    assert requests().feed(line(longest)) == [longest]
    with pytest.raises(ControlError):
        requests().feed(line(Ask(longest.line + "x")))
    with pytest.raises(ControlError):
        requests().feed(b"x" * (MAX_REQUEST + 1))  # its end need not come


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_an_answer_of_any_length_is_the_sum_of_its_parts(text: str) -> None:
    long = text * (PIECE // 10)
    pieces = [message for piece in parts(long) for message in answers().feed(piece)]
    assert "".join(each.text for each in pieces if isinstance(each, Part)) == long


def test_what_cannot_be_sent_is_said() -> None:
    with pytest.raises(ControlError):
        line(Ask("\udcff"))
