"""Types of values: what they take, what they refuse, and in which words."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.kinds import (
    PORT,
    Bool,
    Cap,
    CapKind,
    Choice,
    Duration,
    Float,
    Int,
    IntOr,
    Kind,
    List,
    Mode,
    Path,
    Pattern,
    Percent,
    Place,
    Raw,
    Secret,
    Size,
    Table,
    Text,
    Throttle,
    ThrottleKind,
    plain,
)
from angarium.core.units import Rate

KINDS: list[Kind[object]] = [
    Bool(),
    Int(-1, 100),
    Float(),
    Percent(),
    Duration(),
    Size(),
    Text(),
    Path(),
    Secret(),
    Mode(),
    Choice(("a", "b")),
    IntOr(("auto",)),
    Pattern(),
    ThrottleKind(),
    CapKind(),
    List(Text()),
    Table(Int()),
]


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Bool(), "TRUE", True),
        (Bool(), "off", False),
        (Bool(), "enabled", True),
        (Bool(), "0", False),
        (Int(), "0032", 32),
        (Int(minimum=-1), "-1", -1),
        (PORT, "65535", 65535),
        (Percent(), "95", 95.0),
        (Percent(), "95%", 95.0),
        (Duration(), "86400", 86400.0),
        (Duration(), "4 hours", 14400.0),
        (Size(), "10M", 10 << 20),
        (Text(), "é", "é"),
        (Mode(), "0640", 0o640),
        (Mode(bare=True), "775", 0o775),
        (Mode(bare=True), "0775", 0o775),
        (Choice(("ESMTP", "LMTP")), "esmtp", "ESMTP"),
        (Choice(("false", "inline"), {"true": "inline"}), "true", "inline"),
        (IntOr(("auto", "none")), "AUTO", "auto"),
        (IntOr(("auto", "none")), "7", 7),
        (ThrottleKind(), "300/60", Throttle(Rate(300, 60))),
        (ThrottleKind(), "5", Throttle(Rate(5, 1))),
        (ThrottleKind(), "0", None),
        (CapKind(), "10", Cap(10)),
        (CapKind(), "-1", None),
        (List(Text()), "one", ("one",)),
        (List(Text()), ("a", "b"), ("a", "b")),
        (List(Text(), split=True), "a, b c", ("a", "b", "c")),
        (List(Text(), split=True), "", ()),
        (List(Text(), split=True), ("a, b",), ("a, b",)),
        (Table(Int()), {"a": "1"}, {"a": 1}),
    ],
)
def test_a_kind_reads_what_it_means(kind: Kind[object], raw: Raw, value: object) -> None:
    assert kind.parse(raw) == value


@pytest.mark.parametrize(
    ("kind", "raw", "words"),
    [
        (Bool(), "maybe", "neither true nor false"),
        (Int(), "1_000", "no whole number"),
        (Int(), "\u0663", "no whole number"),
        (Int(), "-1", "less than 0"),
        (Int(maximum=9), "10", "more than 9"),
        (Int(), "9" * 30, "no whole number"),
        (Float(), "nan", "no number"),
        (Percent(), "101", "not between 0 and 100"),
        (Duration(), "soon", "no duration"),
        (Duration(minimum=1.0), "0", "shorter than 1"),
        (Size(), "big", "no size"),
        (Text(), "a\x00", "U+0000"),
        (Text(), "a\r\nb", "U+000D"),
        (Text(), "\udcff", "U+DCFF"),
        (Text(), ("a",), "one value"),
        (Path(), "", "empty"),
        (Mode(), "640", "octal"),
        (Mode(), "0999", "octal"),
        (Mode(bare=True), "789", "octal"),
        (Choice(("a", "b")), "c", "none of a, b"),
        (Choice(("a", "b"), later=("Carrier",)), "carrier", "carrier is not supported yet"),
        (IntOr(("auto",)), "-1", "nor one of auto"),
        (Pattern(), "(", "no regular expression"),
        (Pattern(), "a{99999999999999}", "no regular expression"),
        (ThrottleKind(), "5/0", "no rate"),
        (ThrottleKind(), "-5", "no rate"),
        (CapKind(), "-2", "less than -1"),
        (List(Int()), {"a": "1"}, "list"),
        (List(Int()), ("1", "x"), "'x'"),
        (Table(Int()), ("1",), "dictionary"),
    ],
)
def test_a_kind_refuses_the_rest_in_words(kind: Kind[object], raw: Raw, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        kind.parse(raw)


RAW = st.recursive(
    st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: type(each).__name__)
@given(raw=RAW)
def test_a_kind_gives_a_value_or_a_value_error(kind: Kind[object], raw: Raw) -> None:
    try:
        value = kind.parse(raw)
    except ValueError:
        return
    json.dumps(plain(value))


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: type(each).__name__)
def test_a_kind_says_what_may_be_written(kind: Kind[object]) -> None:
    assert str(kind)
    assert json.dumps(kind.schema())


def test_a_pattern_keeps_what_was_written() -> None:
    assert plain(Pattern().parse(r"(?<n>a)\z")) == r"(?<n>a)\z"


def test_a_throttle_carries_the_key_of_its_stanza() -> None:
    assert Throttle(Rate(5, 1)).keyed("domain a").key == "domain a 5/1"
    assert Cap(5).keyed("binding b") == Cap(5, "binding b")


def test_places_are_printed_as_they_are_written() -> None:
    assert str(Place("2001:db8::1", 25)) == "[2001:db8::1]:25"
    assert str(Place("mx.example.com")) == "mx.example.com"
