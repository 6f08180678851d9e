"""The words by which mail is chosen."""

import pytest

from angarium.console.chosen import asked, ident_of, reply_of, unless_all
from angarium.console.errors import CommandError
from angarium.queue.choice import Choice


def test_options_stand_anywhere_and_are_no_part_of_the_rest() -> None:
    said = asked("--meta k v a.test --dry-run a note --age 2h".split())
    assert said.rest == ["a.test", "a", "note"]
    assert said.dry_run
    assert said.of(domain="a.test") == Choice(domain="a.test", meta=("k", "v"), age=7200)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--meta k", "--meta has no value"),
        ("--meta a b --header c d", "one filter too many"),
        ("--header a b --meta c d", "one filter too many"),
        ("--sender a --sender b", "one filter too many"),
        ("--age x", "is no age"),
        ("--attempts x", "is no number"),
        ("--nothing x", "there is no filter"),
        ("--sender", "has no value"),
    ],
)
def test_what_is_no_filter_is_refused(words: str, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        asked(words.split())


def test_a_queue_is_named_once() -> None:
    with pytest.raises(CommandError, match="said twice"):
        asked(["--domain", "a"]).of(domain="b")
    with pytest.raises(CommandError, match="no pattern"):
        asked(["--sender", "/(/"]).of()
    assert asked(["--domain", "a"]).of().domain == "a"


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("5s", 5), ("5m", 300), ("3d", 259200)])
def test_an_age_has_a_unit(text: str, seconds: int) -> None:
    assert asked(["--age", text]).choice.age == seconds


def test_a_note_is_the_text_of_the_reply_or_the_whole_of_it() -> None:
    assert reply_of([], "purged.") == (554, "purged.")
    assert reply_of(["go", "away"], "purged.") == (554, "go away")
    assert reply_of(["550", "5.1.1", "gone"], "purged.") == (550, "5.1.1 gone")
    assert reply_of(["250", "ok"], "purged.") == (554, "250 ok")
    with pytest.raises(CommandError, match="control character"):
        reply_of(["a\x1bb"], "purged.")


def test_words_stand_for_names_and_ids() -> None:
    assert (unless_all("ALL"), unless_all("a")) == ("", "a")
    assert ident_of("00/01-00000-6B075D53") == 0x6B075D53_00000001
    with pytest.raises(CommandError, match="is no id"):
        ident_of("x")


def test_missing_and_superfluous_words_are_named() -> None:
    said = asked(["a"])
    with pytest.raises(CommandError, match="a is one word too many"):
        said.end()
    assert said.word("the domain") == "a"
    with pytest.raises(CommandError, match="the domain is missing"):
        said.word("the domain")
