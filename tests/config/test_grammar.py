"""The grammar of ecelerity.conf: what it takes, where it stops, and that nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.grammar import (
    MAX_DEPTH,
    MAX_FAULTS,
    File,
    Include,
    Item,
    Setting,
    Stanza,
    parse,
    written,
)
from angarium.config.kinds import Raw


def read(text: str) -> File:
    return parse("x.conf", text.encode())


def shape(items: list[Item]) -> list[object]:
    """Return a tree as plain values, for comparison."""
    found: list[object] = []
    for item in items:
        if isinstance(item, Setting):
            found.append((item.name, item.value))
        elif isinstance(item, Stanza):
            found.append((item.name, item.instance, shape(item.items)))
        else:
            found.append(("readonly" if item.readonly else "include", item.target))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\ufeff\n# nothing\n", []),
        ("a = 1", [("a", "1")]),
        ("A=1 B=2", [("a", "1"), ("b", "2")]),
        ("a = b,c", [("a", "b,c")]),
        ("a = 10.0.0.0/24", [("a", "10.0.0.0/24")]),
        ("a = 1# comment", [("a", "1")]),
        ("a /* x **/ = /***/ 1 /* / * */", [("a", "1")]),
        ("a = /* one */ 1 /* two\n * three */", [("a", "1")]),
        ("a = /* # */ 1 # /* not open", [("a", "1")]),
        ('a = "one two"', [("a", "one two")]),
        ('a = ""', [("a", "")]),
        ('a = "x # y /* z */ { } = ( )"', [("a", "x # y /* z */ { } = ( )")]),
        (r'a = "say \"hi\" \\ there"', [("a", 'say "hi" \\ there')]),
        (r'a = "^b\.c\d+$"', [("a", r"^b\.c\d+$")]),
        ('a = "two\nlines"', [("a", "two\nlines")]),
        ("a = ( )", [("a", ())]),
        ("a = ( b c )", [("a", ("b", "c"))]),
        ('a = ("b", c,d )', [("a", ("b", "c", "d"))]),
        ("a = ( ( b ) c )", [("a", (("b",), "c"))]),
        ("a = [ ]", [("a", {})]),
        ("a = [ b = c d = ( 1 2 ) ]", [("a", {"b": "c", "d": ("1", "2")})]),
        ("a = [ b = c, d = e ]", [("a", {"b": "c", "d": "e"})]),
        ("a [ b = c ]", [("a", {"b": "c"})]),
        ("a ( b )", [("a", ("b",))]),
        ("a { }", [("a", None, [])]),
        ("a = { }", [("a", None, [])]),
        ("a b { }", [("a", "b", [])]),
        ('a "B c" { d = 1 }', [("a", "B c", [("d", "1")])]),
        ("a 10.0.0.0/24 { }", [("a", "10.0.0.0/24", [])]),
        ('domain "/[.]x$/" { }', [("domain", "/[.]x$/", [])]),
        (r"domain /yahoo\.co(m|\.uk)$/ { }", [("domain", r"/yahoo\.co(m|\.uk)$/", [])]),
        (r"domain /a\.(com|es)$/{ }", [("domain", r"/a\.(com|es)$/", [])]),
        ("domain /^a{2}/b/ {}", [("domain", "/^a{2}/b/", [])]),
        ("listen /tmp/2025 { }", [("listen", "/tmp/2025", [])]),
        ("listen /tmp/2025{}", [("listen", "/tmp/2025", [])]),
        ("hook:name [ a = b ]", [("hook:name", {"a": "b"})]),
        ("a b{c d{e=f}}", [("a", "b", [("c", "d", [("e", "f")])])]),
        ('include "x.conf"', [("include", "x.conf")]),
        ("a { readonly_include d }", [("a", None, [("readonly", "d")])]),
        ("include { }", [("include", None, [])]),
    ],
)
def test_a_text_gives_its_tree(text: str, expected: list[object]) -> None:
    file = read(text)
    assert not file.faults
    assert shape(file.items) == expected


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a =", (1, 4), "the file ends where a value for a is expected"),
        ("a = }", (1, 5), "a value for a is expected, not }"),
        ("a = 'b'", (1, 5), "a value for a is expected, not '"),
        ("a b", (1, 1), "a is followed by neither = nor {"),
        ("a\n  %", (1, 1), "a is followed by neither = nor {"),
        ("\n  = 3", (2, 3), "the name of an option or stanza is expected, not ="),
        ("a {\n b = 1\n", (1, 1), "a { is never closed"),
        ("a { b { }", (1, 1), "a { is never closed"),
        ("}", (1, 1), "} without a stanza it could close"),
        ("a = 1 }", (1, 7), "} without a stanza it could close"),
        ("a = ( b", (1, 5), "( is never closed"),
        ("a = ( b ]", (1, 9), "a value is expected, not ]"),
        ("a = [ b = c", (1, 5), "[ is never closed"),
        ("a = [ b c ]", (1, 9), "= after b is expected, not c"),
        ("a = [ b = 1 b = 2 ]", (1, 13), "b stands twice in this dictionary"),
        ('a = "b', (1, 5), "this quotation is never closed"),
        ("a = 1\n/* b", (2, 1), "this comment is never closed"),
        ("a = \x00", (1, 5), "a value for a is expected, not character U+0000"),
        (
            "\u00a0a = 1",
            (1, 1),
            "the name of an option or stanza is expected, not character U+00A0",
        ),
        ("ä = 1", (1, 1), "the name of an option or stanza is expected, not ä"),
    ],
)
def test_a_fault_has_its_place(text: str, place: tuple[int, int], message: str) -> None:
    fault = read(text).faults[0]
    assert (fault.line, fault.column) == place
    assert fault.message == message


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("a = 1\n;", "a statement needs no ;"),
        ("a = 1 , b = 2", "a comma stands in lists and dictionaries only"),
        ("a {\u00a0}", "it is NO-BREAK SPACE"),
        ("a { \u201cx\u201d = 1 }", "it is LEFT DOUBLE QUOTATION MARK"),
        ("a = 'b'", 'quote with "'),
    ],
)
def test_what_means_nothing_is_advised_against(text: str, advice: str) -> None:
    assert advice in read(text).faults[0].advice


def test_what_follows_a_faulty_line_is_still_read() -> None:
    file = read("a b\nc = 1\n%\nd = 2\n")
    assert [each.line for each in file.faults] == [1, 3]
    assert shape(file.items) == [("c", "1"), ("d", "2")]


def test_noise_gives_a_few_faults_only() -> None:
    assert len(read("%\n" * 1000).faults) == MAX_FAULTS


@pytest.mark.parametrize(("first", "further"), [("a {", " a {"), ("a =", " ("), ("a =", " [ b =")])
def test_nesting_has_an_end(first: str, further: str) -> None:
    assert "deeper" in read(first + further * (MAX_DEPTH + 5)).faults[0].message


def test_octets_which_are_no_utf8_stay_in_comments() -> None:
    octets = b"# caf\xe9\na = 1 # \xff\n"
    file = parse("x.conf", octets)
    assert not file.faults
    assert file.encode() == octets


def test_offsets_name_the_text_of_a_node() -> None:
    file = read('one = 1\ntwo "b" {\n  three = "x y" # c\n}\ninclude "f"\n')
    one, two, include = file.items
    assert isinstance(one, Setting)
    assert isinstance(two, Stanza)
    assert isinstance(include, Include)
    three = two.items[0]
    assert isinstance(three, Setting)
    assert file.text[one.start : one.end] == "one = 1"
    assert file.text[three.value_start : three.end] == '"x y"'
    assert file.text[two.start : two.end].startswith('two "b" {')
    assert file.text[two.end - 1] == "}"
    assert file.text[include.start : include.end] == 'include "f"'


WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    WORDS,
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple) | st.dictionaries(WORDS, inner, max_size=4)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_written_is_read_back(value: Raw) -> None:
    file = read(f"x = {written(value)} y = 1")
    assert not file.faults
    assert shape(file.items) == [("x", value), ("y", "1")]


@given(st.binary(max_size=200))
def test_any_octets_give_a_tree_or_faults_and_are_kept(octets: bytes) -> None:
    file = parse("x.conf", octets)
    assert file.encode() == octets
    for fault in file.faults:
        assert fault.line >= 1
        assert fault.column >= 1


# Pieces which mean something, so that the parser gets further than the first octet.
PIECES = st.sampled_from(
    [*"{}()[]=,#\"'\\/*\n \t", "a", "b1", '"q"', "/*", "*/", "include", "a = 1\n", "x {\n", "}\n"]
)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_any_mixture_of_pieces_gives_a_tree_or_faults(text: str) -> None:
    file = read(text)
    assert file.encode() == text.encode()
    if not file.faults:
        assert _spans(file.items, 0) <= len(text)


def _spans(items: list[Item], at: int) -> int:
    """Check that nodes stand in order and inside each other; return where the last one ends."""
    for item in items:
        assert at <= item.start < item.end
        if isinstance(item, Stanza):
            assert _spans(item.items, item.inside) <= item.end
        at = item.end
    return at


@pytest.mark.parametrize(
    "text",
    ['"' * 40001, "/*" * 20000, "(" * 40000, "a = " * 10000, "a\n" * 20000, " " * 100000 + "%"],
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    """Hangs, in effect, where the time is quadratic; there is no clock in it."""
    assert read("x = 1 " + text).faults
