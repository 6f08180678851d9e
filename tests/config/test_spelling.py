"""A value is written so that reading it gives the value again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config import compound, kinds, places, sample
from angarium.config.grammar import Setting, parse
from angarium.config.kinds import Kind, Raw
from angarium.config.load import declarations
from angarium.config.option import OPTIONS, Option
from angarium.config.spelling import HIDDEN, lines, plain_value, raw, secret, spelled
from angarium.queue.options import Detour

declarations()

WORDS = st.text(st.characters(codec="utf-8"), max_size=12)
RAWS = st.recursive(
    WORDS,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.dictionaries(WORDS, inner, max_size=3)
    ),
    max_leaves=6,
)


def read_back(text: str) -> Raw:
    file = parse("x", f"x = {text}\n".encode())
    assert file.faults == []
    (item,) = file.items
    assert isinstance(item, Setting)
    return item.value


@given(RAWS, st.booleans())
def test_whatever_the_grammar_knows_is_read_again_as_it_was(value: Raw, quoted: bool) -> None:
    assert read_back(" ".join(lines(value, quoted=quoted))) == value
    assert read_back("\n".join(lines(value, quoted=quoted))) == value


KINDS: list[tuple[Kind[Any], str]] = [
    (kinds.Bool(), "yes"),
    (kinds.Int(minimum=-5), "-3"),
    (kinds.Float(), "0.0000001"),
    (kinds.Float(), "123456789012345678"),
    (kinds.Percent(), "12.5%"),
    (kinds.Duration(), '"1.5 hours"'),
    (kinds.Duration(), "0.25"),
    (kinds.Size(), "10M"),
    (kinds.Text(), '"a \\"b\\" c\\\\ # d"'),
    (kinds.Text(), '""'),
    (kinds.Path(), "/var/log"),
    (kinds.Mode(), "0640"),
    (kinds.Choice(("Yes", "no")), "YES"),
    (kinds.IntOr(("all",)), "All"),
    (kinds.Pattern(), '"[[:digit:]]+\\.[^\\\\s\\"]"'),
    (kinds.ThrottleKind(), "300/60"),
    (kinds.ThrottleKind(), "0"),
    (Detour(), "Disabled"),
    (kinds.CapKind(), "7"),
    (kinds.CapKind(), "-1"),
    (kinds.List(kinds.Text()), '( "a b" c )'),
    (kinds.List(kinds.Text()), "( )"),
    (kinds.Table(kinds.List(kinds.Int())), "[ a = ( 1 2 ) b = 3 ]"),
    (kinds.Table(kinds.Text()), "[ ]"),
    (compound.Span(kinds.Duration()), "( 60 1.5m )"),
    (compound.Record({"a": kinds.Mode(), "b": kinds.List(kinds.Int())}), "[ A = 0640 b = 1 ]"),
    (compound.Joined(kinds.Int(), ":"), '"1: 2"'),
    (compound.Choices(("ALL", "TLSv1")), '"all:-tlsv1"'),
    (places.Hostname(), "mx.example.com"),
    (places.Cidr(), "192.0.2.1/24"),
    (places.SourceAddress(), "*"),
    (places.HostPort(), '"[2001:db8::1]:25"'),
    (places.HostPort(bound=True), ":25"),
    (places.DomainGlob(), "*.Example.com"),
]  # fmt: skip


def again(kind: Kind[Any], text: str) -> None:
    value = kind.parse(read_back(text))
    option: Option[Any] = Option(kind, value, "x")
    found = kind.parse(read_back(spelled(option, value, secrets=True)))
    assert found == value or str(found) == str(value)
    assert raw(kind, found) == raw(kind, value)


@pytest.mark.parametrize(("kind", "text"), KINDS, ids=lambda each: str(each)[:20])
def test_a_value_of_each_kind_is_read_again_as_it_was(kind: Kind[Any], text: str) -> None:
    again(kind, text)


@pytest.mark.parametrize(
    "declared",
    [each for each in OPTIONS.values() if sample.value(each)],
    ids=lambda each: each.key,
)
def test_the_example_of_an_option_is_read_again_as_it_was(declared: Option[Any]) -> None:
    again(declared.kind, sample.value(declared))


def test_words_are_quoted_where_momentum_needs_it() -> None:
    for text in ("a b", "a#b", "/var", 'a"b', "a'b", "a=b", "{", "}", "[", "]", "(", ")", "a,b"):
        assert lines(text, quoted=False)[0].startswith('"')
    assert lines("mx-1.example.com:25", quoted=False) == ["mx-1.example.com:25"]


def test_a_secret_is_hidden_unless_it_is_asked_for() -> None:
    hidden: Option[Any] = Option(kinds.List(kinds.Secret()), (), "x")
    assert spelled(hidden, ("swordfish",)) == HIDDEN
    assert spelled(hidden, ("swordfish",), secrets=True) == '( "swordfish" )'
    inside = compound.Record({"key": kinds.Secret(), "name": kinds.Text()})
    assert spelled(Option(inside, {}, "x"), {"key": "swordfish", "name": "bert"}) == HIDDEN
    assert spelled(None, "swordfish", name="db_password") == HIDDEN
    assert spelled(None, "bert", name="db_user") == '"bert"'


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (kinds.ThrottleKind(), "300/60", "300/60"),
        (kinds.ThrottleKind(), "0", "0"),
        (kinds.CapKind(), "7", 7),
        (kinds.CapKind(), "-1", -1),
        (kinds.Mode(), "0640", "0640"),
        (kinds.Bool(), "on", True),
        (kinds.Duration(), "2m", 120),
        (kinds.List(places.Cidr()), "::1", ["::1/128"]),
        (kinds.Table(kinds.Int()), "[ a = 1 ]", {"a": 1}),
        (kinds.Pattern(), "a+", "a+"),
    ],
)
def test_a_value_as_json_is_valid_by_its_kind(kind: Kind[Any], text: str, expected: object) -> None:
    value = kind.parse(read_back(text))
    assert plain_value(Option(kind, value, "x"), value) == expected


def test_a_pattern_of_posix_classes_stays_what_it_is() -> None:
    value = kinds.Pattern().parse("^[[:alpha:]]$")
    assert raw(kinds.Pattern(), value) == "^[[:alpha:]]$"
    assert kinds.Pattern().parse(raw(kinds.Pattern(), value)) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("db_pw", "x"),
        ("acme_api_key", "x"),
        ("tokens", "x"),
        ("AES_Key", "x"),
        ("uri", "pgsql:host=h;Password = x"),
        ("url", "https://user:x@api.example.com/"),
        ("options", {"name": "a", "password": "x"}),
        ("servers", ("a", {"secret": "x"})),
    ],
)
def test_what_looks_like_a_secret_in_a_script_is_hidden(name: str, value: Raw) -> None:
    assert secret(None, name, value)
    assert spelled(None, value, name=name) == HIDDEN


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("source", "/etc/policy.lua"),
        ("url", "https://api.example.com:8080/a@b"),
        ("passive", "true"),
        ("key_file", "/etc/k"),
        ("limits", {"a": "1"}),
    ],
)
def test_what_does_not_look_like_a_secret_is_shown(name: str, value: Raw) -> None:
    assert not secret(None, name, value)
