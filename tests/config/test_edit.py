"""Edits: exactly one thing changes in meaning, and nothing else in the text."""

from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.edit import Addition, Edit, Style, added, anchor, removed, replaced
from angarium.config.grammar import File, Include, Item, Setting, Stanza, parse
from angarium.config.kinds import Raw

Meaning: TypeAlias = list[tuple[object, ...]]

# Texts in all layouts the grammar has: every gap between two words may be anything that is blank.

GAPS = st.sampled_from(
    ["", " ", "\n", "\n\n", "\t", "\r\n", "  ", "\n  ", " # note\n", " # x }\r\n", "/* a\n{ */",
     " /* b */ ", "\n# own line\n\t", "#\udcff\n"]
)  # fmt: skip
WORDS = st.sampled_from(["1", "x", '"a b"', '"q\\"}"', "a/b", '"#no"', '""', "10.0.0.1:25"])
NAMES = st.sampled_from(["a", "b", "Retry_Interval", "c.d"])


def lists(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(GAPS, words), max_size=3).flatmap(
        lambda items: st.builds(
            lambda gaps, last: "(" + "".join(f"{gap} {word}" for gap, word in gaps) + last + ")",
            st.just(items),
            GAPS,
        )
    )


def settings() -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{}{}={}{}".format, NAMES, GAPS, GAPS, WORDS),
        st.builds("{}{}={}{}".format, NAMES, GAPS, GAPS, lists(WORDS)),
        st.builds("{}{}{}".format, NAMES, GAPS, lists(WORDS)),
        st.builds("{}{}=[ k = {} ]".format, NAMES, GAPS, WORDS),
    )


def joined(items: list[tuple[str, str]], last: str) -> str:
    """Put a blank between what would be read as one word."""
    text = ""
    for gap, item in items:
        needs = text[-1:] not in ("", "}", '"', ")", "]") and not gap.startswith(tuple(" \t\r\n#/"))
        text += (" " if needs else "") + gap + item
    return text + last


def stanzas(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    heads = st.sampled_from(["domain x", 'binding "y z"', "listener", "listener =", 'peer"q"'])
    return st.builds("{}{}{{{}}}".format, heads, GAPS, inner)


def bodies(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    includes = st.sampled_from(['include "f"', "readonly_include g"])
    item = st.one_of(settings(), inner, includes)
    return st.builds(joined, st.lists(st.tuples(GAPS, item), max_size=4), GAPS)


TEXTS = st.recursive(settings(), lambda inner: stanzas(bodies(inner)), max_leaves=8)
FILES = bodies(TEXTS).map(lambda text: parse("f", text.encode("utf-8", "surrogateescape")))
VALUES: st.SearchStrategy[Raw] = st.one_of(
    st.sampled_from(["5", "new value", "a{b", 'q"\\', "", "x/y"]),
    st.lists(st.sampled_from(["1", "two words", "192.0.2.0/24"]), max_size=3).map(tuple),
    st.just({"key": "value"}),
)


def meaning(items: list[Item]) -> Meaning:
    found: Meaning = []
    for item in items:
        if isinstance(item, Setting):
            found.append((item.name, item.value))
        elif isinstance(item, Include):
            found.append((item.target, item.readonly))
        else:
            found.append((item.name, item.instance, meaning(item.items)))
    return found


def containers(file: File) -> list[Stanza | None]:
    found: list[Stanza | None] = [None]
    pending = [file.items]
    while pending:
        for item in pending.pop():
            if isinstance(item, Stanza):
                found.append(item)
                pending.append(item.items)
    return found


def inside(file: File, container: Stanza | None) -> list[Item]:
    return file.items if container is None else container.items


def applied(file: File, edit: Edit) -> File:
    """Return the file after an edit, which must leave all else as it was, and have a way back."""
    text = edit.apply(file.text)
    assert text[: edit.start] == file.text[: edit.start]
    assert text[edit.start + len(edit.text) :] == file.text[edit.end :]
    assert edit.undo(file.text).apply(text) == file.text
    after = parse("f", text.encode("utf-8", "surrogateescape"))
    assert not after.faults, (file.text, text)
    return after


def test_the_texts_of_these_tests_have_every_layout_and_no_fault() -> None:
    @given(FILES)
    def check(file: File) -> None:
        assert not file.faults, file.text

    check()


@given(FILES, VALUES, st.data())
def test_a_replaced_value_is_the_only_difference(
    file: File, value: Raw, data: st.DataObject
) -> None:
    places = [(items, at) for each in containers(file) for items in [inside(file, each)]
              for at, item in enumerate(items) if isinstance(item, Setting)]  # fmt: skip
    if not places:
        return
    items, at = data.draw(st.sampled_from(places))
    item = items[at]
    assert isinstance(item, Setting)
    after = applied(file, replaced(file, item, value, Style.of(file.text)))
    items[at] = Setting(item.name, value, 0, 0, 0)
    assert meaning(after.items) == meaning(file.items)


@given(FILES, VALUES, st.data(), st.lists(st.sampled_from(["p", "q r"]), max_size=2))
def test_an_addition_is_the_only_difference_and_counts(
    file: File, value: Raw, data: st.DataObject, names: list[str]
) -> None:
    container = data.draw(st.sampled_from(containers(file)))
    stanzas = tuple(("domain", each) for each in names)
    what = Addition("new", value, stanzas)
    after = applied(file, added(file, container, what, Style.of(file.text)))
    items = inside(file, container)
    behind = anchor(items, stanza=bool(names))
    new: Item = Setting("new", value, 0, 0, 0)
    for keyword, instance in reversed(stanzas):
        outer = Stanza(keyword, instance, 0, 0)
        outer.items = [new]
        new = outer
    at = items.index(behind) + 1 if behind is not None else 0 if container else len(items)
    items.insert(at, new)
    assert meaning(after.items) == meaning(file.items)


@given(FILES, st.data())
def test_a_removal_is_the_only_difference_and_keeps_comments_on_other_lines(
    file: File, data: st.DataObject
) -> None:
    places = [(items, at) for each in containers(file) for items in [inside(file, each)]
              for at in range(len(items))]  # fmt: skip
    if not places:
        return
    items, at = data.draw(st.sampled_from(places))
    within = file.text[items[at].start : items[at].end]
    after = applied(file, removed(file, items[at]))
    kept = file.text.count("# own line") - within.count("# own line")
    assert after.text.count("# own line") == kept
    del items[at]
    assert meaning(after.items) == meaning(file.items)


@given(FILES, VALUES, st.data())
def test_adding_and_removing_again_leaves_no_trace_in_meaning(
    file: File, value: Raw, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(containers(file)) - 1))
    style = Style.of(file.text)
    after = applied(file, added(file, containers(file)[at], Addition("new", value), style))
    items = inside(after, containers(after)[at])
    new = next(each for each in items if isinstance(each, Setting) and each.name == "new")
    assert meaning(applied(after, removed(after, new)).items) == meaning(file.items)


# What it looks like.


def edited(text: str, path: str, what: Addition) -> str:
    """Add in the stanza with the name `path`, "" for the file."""
    file = parse("f", text.encode())
    named = [each for each in containers(file) if (each.name if each else "") == path]
    return added(file, named[0], what, Style.of(text)).apply(text)


@pytest.mark.parametrize(
    ("text", "path", "after"),
    [
        ("a = 1 # note\n# next\n", "", "a = 1 # note\nnew = 5\n# next\n"),
        ("a = 1", "", "a = 1\nnew = 5"),
        ("a=1\r\ndomain x {\r\n}\r\n", "", "a=1\r\nnew=5\r\ndomain x {\r\n}\r\n"),
        ("", "", "new = 5\n"),
        ("# only this", "", "# only this\nnew = 5"),
        ("d x {\n\ta = 1\n\tb = 2\n}\n", "d", "d x {\n\ta = 1\n\tb = 2\n\tnew = 5\n}\n"),
        ("domain x {\n}\n", "domain", "domain x {\n  new = 5\n}\n"),
        ("domain x {\n  # why\n}\n", "domain", "domain x {\n  # why\n  new = 5\n}\n"),
        ('listen ":25" { }\n', "listen", 'listen ":25" { new = 5 }\n'),
        ('listen ":25" {}\n', "listen", 'listen ":25" { new = 5 }\n'),
        ("listen x { a = 1 }\n", "listen", "listen x { a = 1 new = 5 }\n"),
        ("l {\n    listen x {\n    }\n}\n", "l", "l {\n    new = 5\n    listen x {\n    }\n}\n"),
        ("a {\n    b = 1\n}\nd x {\n}\n", "d", "a {\n    b = 1\n}\nd x {\n    new = 5\n}\n"),
        ('a = 1\ninclude "z"\nd x { }\n', "", 'a = 1\ninclude "z"\nnew = 5\nd x { }\n'),
    ],
)  # fmt: skip
def test_an_added_setting_looks_like_its_neighbours(text: str, path: str, after: str) -> None:
    assert edited(text, path, Addition("new", "5")) == after


@pytest.mark.parametrize(
    ("text", "path", "after"),
    [
        ("a = 1\n", "", 'a = 1\n\nbinding "b" {\n  domain "d" {\n    new = 5\n  }\n}\n'),
        ("", "", 'binding "b" {\n  domain "d" {\n    new = 5\n  }\n}\n'),
        ("g x\n{\n\ta = 1\n}\n", "g",
         'g x\n{\n\ta = 1\n\tbinding "b"\n\t{\n\t\tdomain "d"\n\t\t{\n\t\t\tnew = 5\n'
         "\t\t}\n\t}\n}\n"),
        ("g x { a = 1 }\n", "g", 'g x { a = 1 binding "b" { domain "d" { new = 5 } } }\n'),
    ],
)  # fmt: skip
def test_added_stanzas_look_like_the_others_of_the_file(text: str, path: str, after: str) -> None:
    what = Addition("new", "5", (("binding", "b"), ("domain", "d")))
    assert edited(text, path, what) == after


def test_a_long_list_is_put_on_several_lines() -> None:
    value = tuple(f"192.0.2.{each}" for each in range(10))
    lines = edited("a = 1\n", "", Addition("new", value)).splitlines()
    assert lines[1:3] == ["new = (", "  192.0.2.0"]
    assert lines[-1] == ")"


@pytest.mark.parametrize(
    ("text", "value", "after"),
    [
        ("a = 1 # why\n", "5", "a = 1 # why\n".replace("1", "5")),
        ('a = "1 hour"\n', "60", "a = 60\n"),
        ("a = (\n    1\n    2\n  )\n", ("3", "4", "5"), "a = (\n    3\n    4\n    5\n  )\n"),
        ("a = (\r\n\t1\r\n)\r\n", ("3",), "a = (\r\n\t3\r\n)\r\n"),
        ("a = ( 1 2 )\n", ("3",), "a = ( 3 )\n"),
        ("a ( 1 )\n", "3", "a = 3\n"),
        ("a(1)b=2", "3", "a = 3 b=2"),
        ('a="1"b=2', "3", "a=3 b=2"),
    ],
)  # fmt: skip
def test_a_value_is_replaced_in_its_place(text: str, value: Raw, after: str) -> None:
    file = parse("f", text.encode())
    item = file.items[0]
    assert isinstance(item, Setting)
    assert replaced(file, item, value, Style.of(text)).apply(text) == after


@pytest.mark.parametrize(
    ("text", "name", "after"),
    [
        ("# about a\na = 1 # note\nb = 2\n", "a", "# about a\nb = 2\n"),
        ("a = 1 b = 2 c = 3\n", "b", "a = 1 c = 3\n"),
        ("a = 1 b = 2\n", "a", "b = 2\n"),
        ("a = 1\nb = 2", "b", "a = 1"),
        ("d x { a = 1 }\n", "a", "d x { }\n"),
        ('a = "1"b="2"c=3\n', "b", 'a = "1" c=3\n'),
        ("a = (\n  1\n) # note\nb = 2\n", "a", "b = 2\n"),
        ("a = 1\n\nd x {\n}\n\ne y { }\n", "d", "a = 1\n\ne y { }\n"),
        ("/* c */ a = 1\n", "a", "/* c */\n"),
    ],
)
def test_a_removed_item_takes_its_line_along(text: str, name: str, after: str) -> None:
    file = parse("f", text.encode())
    item = next(item for each in containers(file) for item in inside(file, each)
                if not isinstance(item, Include) and item.name == name)  # fmt: skip
    assert removed(file, item).apply(text) == after


@pytest.mark.parametrize(
    "text", ["", "a = 1\n", "a = 1", "a = 1\r\n", "# c", "d x {\r\n  a = 1\r\n}"]
)
def test_adding_and_removing_a_stanza_gives_the_same_text(text: str) -> None:
    after = edited(text, "", Addition("new", "5", (("binding", "b"),)))
    file = parse("f", after.encode())
    assert removed(file, file.items[-1]).apply(after) == text
