"""Types of values with parts: what they take, what they refuse, and in which words."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.compound import Choices, Joined, Record, Span
from angarium.config.kinds import Bool, Choice, Duration, Int, Kind, Raw, Text, plain

USERS = Record({"uri": Text(), "log": Bool()}, required=("uri",))
BY_LENGTH = Span(Text(), len)
KINDS: list[Kind[object]] = [
    Span(Int()),
    Span(Duration()),
    USERS,
    Joined(Choice(("a", "b")), ":"),
    Choices(words=("ALL", "x")),
]


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Span(Int()), ("20", "80"), (20, 80)),
        (Span(Int()), "20 80", (20, 80)),
        (Span(Int()), "20, 80", (20, 80)),
        (Span(Int()), ("5", "5"), (5, 5)),
        (Span(Duration()), ("10", "1 hour"), (10.0, 3600.0)),
        (BY_LENGTH, ("z", "aa"), ("z", "aa")),
        (USERS, {"URI": "x://", "log": "on"}, {"uri": "x://", "log": True}),
        (Joined(Choice(("a", "b")), ":"), "A: b", "a:b"),
        (Choices(words=("ALL", "x")), "+all:-X", "+ALL:-x"),
        (Choices(words=("ALL", "x")), "x", "+x"),
    ],
)
def test_a_kind_reads_what_it_means(kind: Kind[object], raw: Raw, value: object) -> None:
    assert kind.parse(raw) == value


@pytest.mark.parametrize(
    ("kind", "raw", "words"),
    [
        (Span(Int()), "20", "two values"),
        (Span(Int()), ("1", "2", "3"), "two values"),
        (Span(Int()), {"a": "1", "b": "2"}, "two values"),
        (Span(Int()), ("9", "1"), "the first value, 9, is more than the second, 1"),
        (BY_LENGTH, ("aa", "z"), "is more than"),
        (Span(Int()), ("a", "1"), "no whole number"),
        (USERS, "x", "dictionary"),
        (USERS, {"log": "on"}, "the key uri is missing"),
        (USERS, {"url": "x"}, "there is no key 'url'; known are uri, log"),
        (USERS, {"uri": "x", "log": "perhaps"}, "log: 'perhaps'"),
        (Joined(Text(), ":"), "a::b", "nothing beside a ':'"),
        (Joined(Text(), ":"), "", "nothing beside"),
        (Joined(Choice(("a",)), ";"), "a;c", "'c'"),
        (Choices(words=("ALL",)), "+ALL:-y", "'y' is none of ALL"),
        (Choices(words=("ALL",)), "", "'' is none of ALL"),
    ],
)
def test_a_kind_refuses_the_rest_in_words(kind: Kind[object], raw: Raw, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        kind.parse(raw)


RAW = st.recursive(
    st.text(max_size=12) | st.sampled_from(["1", "2", "uri", "+ALL:-x", "a:b"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from(["uri", "log", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(raw=RAW)
def test_a_kind_gives_a_value_or_a_value_error(kind: Kind[object], raw: Raw) -> None:
    try:
        value = kind.parse(raw)
    except ValueError:
        return
    json.dumps(plain(value))


@given(low=st.integers(0, 100), high=st.integers(0, 100))
def test_a_span_is_in_order_or_refused(low: int, high: int) -> None:
    if low > high:
        with pytest.raises(ValueError, match="is more than"):
            Span(Int()).parse((str(low), str(high)))
    else:
        assert Span(Int()).parse((str(low), str(high))) == (low, high)


@given(parts=st.lists(st.sampled_from(["a", "b"]), min_size=1))
def test_what_was_joined_is_read_again_the_same(parts: list[str]) -> None:
    kind = Joined(Choice(("a", "b")), ":")
    assert kind.parse(kind.parse(" : ".join(parts))) == ":".join(parts)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_kind_says_what_may_be_written(kind: Kind[object]) -> None:
    assert str(kind)
    assert json.dumps(kind.schema())
