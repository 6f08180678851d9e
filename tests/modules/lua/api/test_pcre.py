import pytest

from angarium.modules.lua.errors import ScriptError
from helpers.snippets import run


def test_a_match_has_the_whole_at_0_and_groups_behind() -> None:
    found = run('return msys.pcre.match("foo@bar.com.cn", "(.*)@(?P<where>.*)\\\\.com")')
    assert found == {0: b"foo@bar.com", 1: b"foo", 2: b"bar", b"where": b"bar"}


def test_no_match_is_nil() -> None:
    assert run('return msys.pcre.match("abc", "x")') is None


def test_a_group_which_took_no_part_is_an_empty_string_before_one_that_did() -> None:
    assert run('return msys.pcre.match("b", "(a)?(b)(c)?")') == {0: b"b", 1: b"", 2: b"b"}


def test_octets_are_matched_as_they_are() -> None:
    assert run('return msys.pcre.match("\\255x\\0y", "^.x\\\\x00")[0]') == b"\xffx\0"
    assert run('return #msys.pcre.match("\\195\\164", "..")[0]') == 2
    assert run('return #msys.pcre.match("\\195\\164b", "(*UTF8)^.")[0]') == 2


@pytest.mark.parametrize(
    ("subject", "pattern", "said", "number"),
    [
        ('"x"', '"("', b"never closed", 1),
        ('"x"', '"(a+)+$"', b"repetition is repeated", 1),
        ('"x"', '"a\\\\Kb"', b"not supported", 1),
        ('"\\255"', '"(*UTF8)a"', b"not UTF-8", 2),
        ('string.rep("a", 300000)', '"(?s).*@"', b"too long", 2),
    ],
)
def test_what_cannot_be_tried_is_told(subject: str, pattern: str, said: bytes, number: int) -> None:
    nothing, text, code = run(f"return msys.pcre.match({subject}, {pattern})")
    assert nothing is None
    assert said in text
    assert code == number


def test_long_texts_of_short_lines_are_searched() -> None:
    source = 'return msys.pcre.match(string.rep("some words\\r\\n", 50000) .. "a@b", ".*@(.)")[1]'
    assert run(source) == b"b"


@pytest.mark.parametrize(
    ("subject", "pattern", "replacement", "result"),
    [
        ("a-b-c", "-", "+", b"a+b+c"),
        ("550 no", "^\\\\s*550\\\\s?", "", b"no"),
        ("john smith", "(?P<first>\\\\w+) (\\\\w+)", "$2 ${first} $0", b"smith john john smith"),
        ("ab", "(a)", "$1$2 $x ${x} $", b"a$2 $x ${x} $b"),
        ("ab", "(a)", "$10", b"a0b"),
        ("x", "y", "z", b"x"),
        ("\\255", "^", "\\254", b"\xfe\xff"),
    ],
)
def test_replacements_may_name_groups(
    subject: str, pattern: str, replacement: str, result: bytes
) -> None:
    assert run(f'return msys.pcre.replace("{subject}", "{pattern}", "{replacement}")') == result


def test_a_bad_pattern_of_a_replacement_is_an_error() -> None:
    with pytest.raises(ScriptError, match="no regular expression"):
        run('return msys.pcre.replace("a", "[", "b")')


@pytest.mark.parametrize(
    ("subject", "pattern", "parts"),
    [
        ("id@host", "@", [b"id", b"host"]),
        ("a, b,c", ",\\\\s*", [b"a", b"b", b"c"]),
        (",a,", ",", [b"", b"a", b""]),
        ("abc", "", [b"a", b"b", b"c"]),
        ("one", "x", [b"one"]),
    ],
)
def test_a_text_is_split_at_each_match(subject: str, pattern: str, parts: list[bytes]) -> None:
    assert run(f'return msys.pcre.split("{subject}", "{pattern}")') == parts
