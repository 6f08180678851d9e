"""Values as postconf(5) has them under "parameter syntax"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.foreign.postfix_values import Unusable, Values, closing, group

TEXTS = {
    "myhostname": "mx.example.org",
    "a": "1",
    "empty": "",
    "b": "$a$a",
    "circle": "x$circle",
    "level": "3.6",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$a ${a} $(a)", "1 1 1"),
        ("$b$$a", "11$a"),
        ("$mydomain", "example.org"),
        ("${a?yes}${empty?no}${empty:none}${a:no}", "yesnone"),
        ("${stress?{1}:{20}}s", "20s"),
        ("${a?{x $b}:{y}}", "x 11"),
        ("${empty:{x}}", "x"),
        ("${{$a} == {1} ? {same} : {other}}", "same"),
        ("${{$a} > {10} ? {more} : {less}}", "less"),
        ("${{9} < {10}?{less}}", "less"),
        ("100 $ and $.", "100 $ and $."),
    ],
)
def test_names_are_replaced(text: str, expected: str) -> None:
    assert Values(TEXTS).expand(text) == expected


@pytest.mark.parametrize("text", ["$nothing", "$circle", "${a", "${}", "${{x}}", "${a!b}"])
def test_what_cannot_be_known_is_of_no_use(text: str) -> None:
    with pytest.raises(Unusable):
        Values(TEXTS).expand(text)


def test_names_in_names_do_not_grow_without_end() -> None:
    texts = {f"n{each}": f"$n{each - 1}" * 10 for each in range(1, 19)} | {"n0": "x"}
    with pytest.raises(Unusable, match="too long"):
        Values(texts).expand("$n18")
    assert Values(texts | {"n0": ""}).expand("$n18") == ""


def test_braces_have_their_end() -> None:
    assert closing("{a{b}c} d", 0) == 6
    assert group("{a {b}} c") == ("a {b}", " c")
    with pytest.raises(Unusable):
        group("a")


@given(st.text(alphabet="$abc{}()?: =", max_size=40))
def test_any_text_has_a_value_or_none(text: str) -> None:
    try:
        Values(TEXTS | {"c": text}).expand("$c")
    except Unusable as why:
        assert str(why)
