"""Patterns of PCRE: what is found, what is refused and where."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.pcre import MAX_LENGTH, regex


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        # what both have
        (r"^bounce-\d+@", "bounce-17@example.com", "bounce-@example.com"),
        (r"(?:^|[.])example[.]com$", "mx.example.com", "badexample.com"),
        ("a++b", "aab", "aa"),
        ("(?>a|ab)c", "ac", "abc"),
        ("^a{2,3}$", "aa", "a"),
        ("(?#a comment)a", "a", "b"),
        ("(?i:A)b", "ab", "aB"),
        ("x(?=y)", "xy", "xx"),
        # classes
        ("^[[:digit:].]+$", "1.2", "a"),
        ("^[^[:space:]]$", "x", " "),
        ("^[[:^digit:]]$", "x", "1"),
        ("^[[:xdigit:]]+$", "0aF", "g"),
        ("[[x]", "[", "y"),
        ("^[]a]$", "]", "b"),
        ("^[^]a]$", "b", "]"),
        ("^[a&&b||c~~-]$", "&", "x"),
        (r"^[\]\\-]$", "]", "x"),
        (r"^[\Qa-]\E]+$", "a-]", "b"),
        (r"^[\x41\101\e]$", "A", "B"),
        (r"^[\h]$", "\t", "\n"),
        # ends
        (r"a\z", "a", "a\n"),
        (r"a\Z", "a\n", "a\nb"),
        (r"\Aa$", "a\n", "ba"),
        # names
        (r"(?<n>a)\k<n>", "aa", "ab"),
        (r"(?'n'a)\k'n'", "aa", "ab"),
        (r"(?P<n>a)(?P=n)\k{n}\g{n}", "aaaa", "aaab"),
        (r"(a)(b)\g{-1}\g1\2", "abbab", "abbaa"),
        (r"(a)?(?(1)b|c)", "ab", "d"),
        (r"(?<n>a)?(?(<n>)b|c)", "ab", "d"),
        # flags to the end of a group
        ("a(?i)b|c", "aB", "Ab"),
        ("a(?i)b|c", "C", "B"),
        ("(a(?i)b)c", "aBc", "aBC"),
        ("(?i)a(?-i)b", "Ab", "AB"),
        ("(?x) a b # a comment", "ab", "a b"),
        ("(?s).", "\n", ""),
        # what Python says otherwise
        (r"^\Qa.b\E+$", "a.bb", "axb"),
        (r"^a\Kb$", "ab", "b"),
        (r"^\h\H\v\V\R\N$", " x\nx\r\nx", "xx"),
        (r"^\x{e4}\o{344}\344\0$", "äää\0", "ä"),
        (r"^\cA\e\a$", "\x01\x1b\x07", "A"),
        ("^x{,3}$", "x{,3}", "xx"),
        ("^x{$", "x{", "x"),
        ("(?<=a|bc)d", "bcd", "bd"),
        ("(?<!a|bc)d", "bd", "bcd"),
        ("(*UTF8)(*UCP)a", "a", "b"),
        (r"^\w+$", "word_1", "w\u00f6rd"),
    ],
)
def test_a_pattern_finds_what_it_does_in_pcre(pattern: str, yes: str, no: str) -> None:
    found = regex(pattern)
    assert found.search(yes)
    assert not found.search(no)
    assert str(found) == pattern


@pytest.mark.parametrize(
    ("pattern", "said", "character"),
    [
        ("a(b", "( is never closed", 2),
        ("a)b", ") without a (", 2),
        ("ab[c", "[ is never closed", 3),
        ("a|*", "nothing which *", 3),
        ("ab\\", "\\ stands at the end", 3),
        (r"ab\y", r"\y is not supported", 3),
        (r"a\p{L}", r"\p is not supported", 2),
        ("(?R)", "(?R) is not supported", 1),
        ("a(?1)", "(?1) is not supported", 2),
        ("a(?&n)", "(?&n is not supported", 2),
        ("a(?|b)", "(?|b is not supported", 2),
        ("a(*FAIL)", "verbs", 2),
        ("(?#a", "(?# is never closed", 1),
        ("a[[:nothing:]]", "[:nothing:] is not supported", 3),
        (r"\Qaa\E(b", "( is never closed", 7),
        (r"\x{110000}", "no such character", 1),
        (r"(a)\g{-2}", "no such group", 4),
        (r"\hx[z-a]", "bad character range", 4),
    ],
)
def test_a_fault_has_its_place_in_the_pattern(pattern: str, said: str, character: int) -> None:
    with pytest.raises(ValueError, match="no regular expression") as caught:
        regex(pattern)
    assert said in str(caught.value)
    assert str(caught.value).endswith(f"at character {character}")


@pytest.mark.parametrize("pattern", ["a{9999999999}", "(" * 1500 + "a" + ")" * 1500])
def test_what_python_cannot_do_is_a_fault_too(pattern: str) -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        regex(pattern)


def test_a_pattern_has_an_end() -> None:
    assert regex("a" * MAX_LENGTH).search("a" * MAX_LENGTH)
    with pytest.raises(ValueError, match=f"{MAX_LENGTH} characters at most"):
        regex("a" * (MAX_LENGTH + 1))


def test_a_long_pattern_is_not_printed_whole() -> None:
    with pytest.raises(ValueError, match="no regular expression") as caught:
        regex("a" * 4000 + "(")
    assert len(str(caught.value)) < 200


PIECES = st.sampled_from(
    [*"ab.*+?|()[]{}^$\\-0123,:=!<>#'& \n", "(?", "(?<", "[:", ":]", "\\Q", "\\E", "{1,", "(?i)",
     "(?:", "[[:alpha:]]", "\\k<", "\\g{", "\\x{", "(?(1)", "\\d", "(?x)", "(?P<n>"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=30))
def test_any_text_is_a_pattern_or_a_fault(text: str) -> None:
    try:
        found = regex(text)
    except ValueError as wrong:
        assert str(wrong)
        return
    found.search("example.com")


@pytest.mark.parametrize(
    ("pattern", "power", "crosses"),
    [
        ("abc", 1, False),
        ("ab*", 1, False),
        (".*@", 2, False),
        ("(?s).*@", 2, True),
        ("a[^x]*b", 2, True),
        ("a[a-z]*b", 2, False),
        (".*x.*y", 3, False),
        (r"\s+$", 2, True),
        (r"\s+", 1, True),
        ("^[^x]*", 1, True),
        ("a+(?=b)", 2, False),
    ],
)
def test_a_pattern_says_by_which_power_its_time_may_grow(
    pattern: str, power: int, crosses: bool
) -> None:
    made = regex(pattern)
    assert (made.power, made.crosses) == (power, crosses)


def test_dots_for_line_ends_may_be_asked_for_outside_of_the_pattern() -> None:
    assert regex(".*@", re.DOTALL).crosses
