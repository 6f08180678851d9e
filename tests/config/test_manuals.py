"""Every example configuration in the manuals of Momentum 3, 4 and 5 loads, or it is said why not.

The manuals are not part of this tree: CONTRIBUTING.md says how to get them. Without them only the
list itself is looked at.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from angarium.config.load import declarations
from helpers.manuals import Example, as_written, blocks, errors, examples, is_configuration, names

declarations()
HERE: Final = Path(__file__).parent
PAGE: Final = HERE.parent.parent / "docs" / "compatibility.md"
REASONS: Final[list[Mapping[str, Any]]] = tomllib.loads((HERE / "manuals.toml").read_text("utf-8"))[
    "reason"
]
LISTED: Final = {each.split()[0]: reason for reason in REASONS for each in reason["examples"]}
CORPORA: Final = os.environ.get("ANGARIUM_CORPORA", "")

needs_corpora = pytest.mark.skipif(
    not (Path(CORPORA) / "momentum-documentation").is_dir() if CORPORA else True,
    reason="ANGARIUM_CORPORA names no directory with the manuals",
)


def told(example: Example) -> list[str]:
    return [str(each) for each in errors(example.text)]


@needs_corpora
def test_every_example_loads_or_is_listed_with_its_reason() -> None:
    unlisted = []
    count = 0
    for example in examples(Path(CORPORA)):
        count += 1
        found = told(example)
        reason = LISTED.get(example.name)
        said = reason["told"] if reason else []
        if any(not any(each in line for each in said) for line in found):
            where = f"{example.name} {example.version} {example.page} line {example.line}"
            unlisted.append("\n  ".join([where, *found]))
    assert not unlisted, "\n".join(unlisted)
    assert count > 400


@needs_corpora
def test_what_is_listed_is_there_and_does_not_load() -> None:
    there = {each.name: each for each in examples(Path(CORPORA))}
    assert not [each for each in LISTED if each not in there]
    assert not [each for each in LISTED if not told(there[each])], "remove these from the list"


def test_the_page_has_every_reason_with_its_pages() -> None:
    rows = [
        f"| {reason['why']} | {', '.join(pages(reason))} |"
        for reason in REASONS
        if reason["examples"]
    ]
    text = PAGE.read_text("utf-8")
    assert not [each for each in rows if each not in text]


def pages(reason: Mapping[str, Any]) -> list[str]:
    """Return the pages by version: "3 conf.aaa (2)"."""
    found = [each.split(maxsplit=1)[1] for each in reason["examples"]]
    counts = {each: found.count(each) for each in found}
    return [f"{page} ({count})" if count > 1 else page for page, count in counts.items()]


# The rule by which blocks are taken for configuration.


def test_blocks_are_fenced_or_indented_and_without_a_language() -> None:
    page = "text\n```\na = 1\n```\n\n    b = 2\n    c = 3\n\ntext\n```lua\nd = 4\n```\n"
    assert list(blocks(page)) == [(3, "a = 1"), (6, "    b = 2\n    c = 3\n")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Message_Expiration = 3600", True),
        ('domain "x.com" {\n}', True),
        ("as_logger\n{\n}", True),
        ('include "x.conf"', True),
        ("no_such_name = 3600", False),
        ("10:47:35 /tmp/2025> config get blackhole\nBlackhole = 0", False),
        ("shell> cat x\nmax_retries = 3", False),
        ("local max_retries = 3", False),
        ("max_retries = 3;", False),
        ("rules = {\n  {\n    max_retries = 3", False),
        ("max_retries = <number>", False),
    ],
)
def test_a_configuration_has_a_known_name_and_nothing_of_something_else(
    text: str, expected: bool
) -> None:
    assert is_configuration(text, names()) is expected


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("a = “b »\nc”", 'a = "bc"'),
        ("a = *`b`*", "a = b"),
        ("**a = 1** # x", "a = 1 # x"),
        ('domain "x" { ... }', 'domain "x" {}'),
        ("a = 1\n  ... more ...\nb = 2", "a = 1\n\nb = 2"),
        ("a\u00a0= 1", "a = 1"),
    ],
)
def test_what_belongs_to_the_page_is_taken_away(page: str, text: str) -> None:
    assert as_written(page).split() == text.split()


@pytest.mark.parametrize(
    "text",
    [
        "max_retries = 3",
        'peer "10.0.0.0/8" { }',
        "log_deliveries = true",
        'listen ":25" { }\nidle_time = 300',
    ],
)
def test_a_part_of_a_stanza_is_read_inside_of_it(text: str) -> None:
    assert not errors(text)


def test_an_error_is_that_of_the_text_as_it_is() -> None:
    assert [each.line for each in errors("max_retries = 3\nno_such_name = 1")] == [2]
