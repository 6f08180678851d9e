"""A signature is a syntax, the longest name is meant, and every command says what it does."""

from collections.abc import Iterator
from typing import Annotated

import pytest

from angarium.console.access import Rank
from angarium.console.command import COMMANDS, Command, Line, Words, command, declarations, find
from angarium.console.errors import CommandError
from angarium.console.result import Result, Said
from angarium.console.session import Session


@pytest.fixture
def declared() -> Iterator[None]:
    declarations()
    before = dict(COMMANDS)

    @command("test", who=Rank.VIEWER)
    def one(session: Session, name: str, count: int = 3) -> Result:
        """Test one thing."""
        return Said(f"{name} {count}")

    @command("test two", who=Rank.VIEWER)
    def two(session: Session, words: Words) -> Result:
        """Test two."""
        return Said(",".join(words))

    @command("test line", who=Rank.VIEWER)
    def line(session: Session, text: Annotated[Line, "TEXT"]) -> Result:
        """Test a line."""
        return Said(text)

    yield
    for name in set(COMMANDS) - set(before):
        del COMMANDS._declared[name]


def given(line: str) -> tuple[str, dict[str, object]]:
    found, rest = find(line)
    return found.name, found.arguments(rest)


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("test x", ("test", {"name": "x"})),
        ("  TEST  x 12", ("test", {"name": "x", "count": 12})),
        ('test "a b"', ("test", {"name": "a b"})),
        ("test two", ("test two", {"words": ()})),
        ('test Two a "b c" ', ("test two", {"words": ("a", "b c")})),
        ('test line  a = ( "x" )  ', ("test line", {"text": 'a = ( "x" )'})),
        ("test twofold", ("test", {"name": "twofold"})),
    ],
)
def test_a_line_is_a_command_and_its_arguments(line: str, meant: object) -> None:
    assert given(line) == meant


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("test", "name is missing; write test <name> [count]"),
        ("test x y", "y is no number"),
        ("test x 1 2", "2 is one word too many"),
        ("tist", "help lists what there is"),
    ],
)
def test_what_does_not_fit_is_told_with_what_would(line: str, why: str) -> None:
    with pytest.raises(CommandError, match=r".*") as told:
        given(line)
    assert why in str(told.value)


def test_a_wrong_word_after_the_first_is_told_what_there_is() -> None:
    with pytest.raises(CommandError, match=r"there are: .*config begin"):
        find("config begun")


def commands() -> list[Command]:
    declarations()
    return list(COMMANDS.values())


@pytest.mark.parametrize("each", commands(), ids=lambda each: each.name)
def test_every_command_says_what_it_does(each: Command) -> None:
    first = each.doc.partition("\n")[0]
    assert first[0].isupper()
    assert each.doc.endswith((".", ").")), each.doc
    assert each.name == each.name.lower()
    assert COMMANDS.place(each.name).file.endswith(".py")
