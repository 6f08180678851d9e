"""Which patterns would hang, and which are only slow."""

import re
import time

import pytest

from angarium.config.backtrack import ALPHABET, ANYTHING, Automaton, components, mask
from angarium.config.pcre import regex

LONGEST = 255


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$", "(a*)*$", "(.*)+x", "([a-z]+)*[.]$", "(a|a)*b", "(a|ab|b)*c", "(x+x+)+y",
        "(a{1,3})+b", "((a|b)*c?)*d", "(?:a+|[a-c])*d", "(?i)(a+)+b", "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(?=(a+)+b)", "((a+){1,3})+b", "(a?a)*b", "(?:[.]?[a-z]+)*!",
    ],
)  # fmt: skip
def test_time_which_doubles_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="would never end"):
        regex(pattern)


@pytest.mark.parametrize("pattern", [".*.*.*.*x", ".*a.*a.*a.*x", "a*[ab]*[a-c]*a*d$"])
def test_too_many_repetitions_in_a_row_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="repetitions in a row"):
        regex(pattern)


def test_too_many_optional_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="may be there or not"):
        regex("a?" * 30 + "a" * 30)


HARMLESS = [
    r"(?:^|[.])example[.]com$",
    r"^([a-z0-9-]+[.])*yahoo[.]co(m|[.]uk)$",
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,}$",
    r"(\d{1,3}[.]){3}\d{1,3}$",
    r"(yahoo|yandex|ymail)*[.]com$",
    r"(ab*)*c",
    r"(a{2})*b",
    r"(?>a+)+b",
    r"(a++)+b",
    r"(a?)*b",
    r".*mail.*yahoo.*com.*",
    r"[^.]+[.][^.]+[.][^.]+[.][^.]+[.][^.]+$",
    "(" + "|".join(f"host{n}" for n in range(100)) + ")[.]com$",
]
TEXTS = ["a" * LONGEST, "ab" * 127, "a." * 127, "1." * 127, "yahoo" * 51, "a-" * 127, "b" * LONGEST]


@pytest.mark.parametrize("pattern", HARMLESS, ids=lambda each: each[:30])
def test_what_is_let_through_ends_in_a_moment(pattern: str) -> None:
    compiled = regex(pattern, re.IGNORECASE).compiled
    began = time.process_time()
    for text in TEXTS:
        compiled.search(text + "!")
    assert time.process_time() - began < 3  # measured: 0.02


def test_three_repetitions_in_a_row_end_too() -> None:
    compiled = regex(".*.*.*x", re.IGNORECASE).compiled
    began = time.process_time()
    compiled.search("a" * LONGEST)
    assert time.process_time() - began < 8  # measured: 0.9


def test_the_characters_of_a_piece() -> None:
    assert mask("a") == 1 << ALPHABET.index("a")
    assert mask("A") == mask("a")
    assert mask("[0-9]").bit_count() == 10
    assert mask("(?s:.)") == ANYTHING


def test_circles_of_a_graph() -> None:
    graph = [{1}, {2}, {0, 3}, {4}, {4}, set()]
    assert components(graph) == [{4}, {0, 1, 2}]


def test_a_repetition_of_one_character_is_no_danger() -> None:
    automaton = Automaton()
    piece = automaton.repeated(automaton.atom(ANYTHING), least=0, endless=True, often=False)
    assert not automaton.danger(piece)
    again = automaton.repeated(piece, least=0, endless=True, often=False)
    assert automaton.danger(again)
