"""An option which is said to work is read by somebody; by the syntax trees of the package.

A module reads an option if it names its class and has an attribute of the option's name. That is
less than a proof, and enough to notice an option which nobody has ever wired.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import angarium
from angarium.config.load import declarations
from angarium.config.option import OPTIONS, Option, Options, State

declarations()

PACKAGE = Path(angarium.__file__).parent
# Classes whose values travel in another one: who names that has them too.
IN_PROFILE = frozenset({"Profile", "Profiles"})
TRAVELS = {"Reception": IN_PROFILE, "Intake": IN_PROFILE, "Conformance": IN_PROFILE}
# Read by name, where there are no classes of options yet: the module which does it.
BY_NAME = {
    "accept_unknown": "config/check.py",
    "enable": "config/resolve.py",
    "local_changes_file": "config/tree.py",
    "match_cache_size": "config/resolve.py",
}
# Read of objects whose class is not named: the module which does it.
OF_ANY = {"bounce_logger.enabled": "run/hose.py"}
# Another option of the same name is read where both classes are named.
ALIKE = {"concurrency": "eventloop.concurrency"}


@dataclass(frozen=True)
class Module:
    """What a module names."""

    classes: frozenset[str]
    attributes: frozenset[str]
    texts: frozenset[str]

    @classmethod
    def of(cls, path: Path) -> "Module":
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        imports = (each for each in nodes if isinstance(each, ast.ImportFrom))
        return cls(
            frozenset(name.name for each in imports for name in each.names),
            frozenset(each.attr for each in nodes if isinstance(each, ast.Attribute)),
            frozenset(
                each.value
                for each in nodes
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ),
        )


MODULES = {
    str(path.relative_to(PACKAGE)): Module.of(path)
    for path in PACKAGE.rglob("*.py")
    if "options" not in path.with_suffix("").parts
}


def classes(base: type[Options] = Options) -> Iterator[type[Options]]:
    for each in base.__subclasses__():
        yield each
        yield from classes(each)


def holders(declared: Option[Any]) -> set[tuple[str, str]]:
    """Return the classes which have the option, and what they call it."""
    return {
        (each.__name__, name)
        for each in classes()
        for name, value in vars(each).items()
        if value is declared
    }


def reads(module: Module, declared: Option[Any]) -> bool:
    return any(
        name in module.attributes
        and not module.classes.isdisjoint({owner, *TRAVELS.get(owner, ())})
        for owner, name in holders(declared)
    )


WORKING = [each for each in OPTIONS.values() if each.state is State.WORKS]


@pytest.mark.parametrize("declared", WORKING, ids=lambda each: each.key)
def test_an_option_which_works_is_read(declared: Option[Any]) -> None:
    if declared.key in BY_NAME:
        assert declared.name in MODULES[BY_NAME[declared.key]].texts
    elif declared.key in OF_ANY:
        assert declared.attribute in MODULES[OF_ANY[declared.key]].attributes
    else:
        assert any(reads(each, declared) for each in MODULES.values()), (
            "nobody reads it: wire it, or let its state say why not"
        )


def test_what_is_read_in_another_way_needs_to_be() -> None:
    named = {*BY_NAME, *OF_ANY}
    needless = {
        each.key
        for each in WORKING
        if each.key in named and any(reads(module, each) for module in MODULES.values())
    }
    assert (needless, named - {each.key for each in WORKING}) == (set(), set())


@pytest.mark.parametrize(
    "declared",
    [each for each in OPTIONS.values() if each.state is not State.WORKS],
    ids=lambda each: each.key,
)
def test_an_option_which_does_nothing_says_why(declared: Option[Any]) -> None:
    if declared.key not in ALIKE:
        assert not any(reads(each, declared) for each in MODULES.values()), "it does something"
    assert len(declared.reason) > 20
    assert declared.reason.endswith(".")
