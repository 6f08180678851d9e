"""Who reads an option, found in the syntax trees of the package when somebody asks.

A function reads an option if it takes an attribute of the option's name and its module names the
class of the option, or a class which carries it: one with a field of that class, or a method that
returns one. In `config` itself options are read by their names. That is less than a proof and
drifts with nothing, as nobody writes it down.
"""

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import angarium
from angarium.config.option import Option, Options

PACKAGE: Final = Path(angarium.__file__).parent
CARRIED: Final = 2  # how often one class is carried by another one


@dataclass(frozen=True, slots=True, order=True)
class Reader:
    """A function: `function` is its name in the module, "" for the module itself."""

    module: str
    function: str
    line: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line}" + (f" {self.function}" if self.function else "")


def readers(declared: Option[Any]) -> list[Reader]:
    """Return who reads an option, by module and line; once for each function."""
    found: dict[tuple[str, str], Reader] = {}
    for each in sorted(_all(declared)):
        found.setdefault((each.module, each.function), each)
    return sorted(found.values())


def _all(declared: Option[Any]) -> Iterator[Reader]:
    for owner, attribute in holders(declared):
        having = _carriers(frozenset({owner}))
        for module in modules_with(attribute):
            if not having.isdisjoint(names(module)):
                yield from _Uses(module, attribute, by_name=False).readers
    for module in modules_with(declared.name):
        if module.rpartition(".")[0] == "angarium.config" and not declared.stanza:
            yield from _Uses(module, declared.name, by_name=True).readers


def holders(declared: Option[Any]) -> set[tuple[str, str]]:
    """Return the classes which have the option, and what they call it."""
    return {
        (each.__name__, name)
        for each in _classes(Options)
        for name, value in vars(each).items()
        if value is declared
    }


def _classes(base: type[Options]) -> Iterator[type[Options]]:
    for each in base.__subclasses__():
        yield each
        yield from _classes(each)


# The modules of the package.


@functools.cache
def _sources() -> dict[str, str]:
    """Return the text of each module which does not only declare options."""
    return {
        ".".join(("angarium", *path.relative_to(PACKAGE).with_suffix("").parts)): path.read_text(
            "utf-8"
        )
        for path in sorted(PACKAGE.rglob("*.py"))
        if "options" not in path.with_suffix("").parts
    }


def modules_with(text: str) -> list[str]:
    return [name for name, source in _sources().items() if text in source]


@functools.cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_sources()[module])


@functools.cache
def names(module: str) -> frozenset[str]:
    """Return the classes which a module imports or defines."""
    found: set[str] = set()
    for each in ast.walk(_tree(module)):
        if isinstance(each, ast.ImportFrom):
            found |= {name.name for name in each.names}
        elif isinstance(each, ast.ClassDef):
            found.add(each.name)
    return frozenset(found)


@functools.cache
def _carriers(classes: frozenset[str], depth: int = CARRIED) -> frozenset[str]:
    """Return the classes, and those which carry one of them."""
    if not depth:
        return classes
    more = {
        each.name
        for module in dict.fromkeys(m for name in classes for m in modules_with(name))
        for each in ast.walk(_tree(module))
        if isinstance(each, ast.ClassDef) and not classes.isdisjoint(_carried(each))
    }
    return classes if more <= classes else _carriers(classes | more, depth - 1)


def _carried(carrier: ast.ClassDef) -> Iterator[str]:
    """Yield the names in the annotations of fields and of what methods return."""
    for each in carrier.body:
        annotation: ast.expr | None = None
        if isinstance(each, ast.AnnAssign):
            annotation = each.annotation
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            annotation = each.returns
        if annotation is not None:
            yield from _words(ast.walk(annotation))


def _words(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for each in nodes:
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


class _Uses(ast.NodeVisitor):
    """Collects the functions which use a name: as an attribute, or in config/ as a text."""

    def __init__(self, module: str, name: str, *, by_name: bool) -> None:
        self.readers: list[Reader] = []
        self._module = module
        self._name = name
        self._by_name = by_name
        self._around: list[str] = []
        self.visit(_tree(module))

    def _inside(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._around.append(node.name)
        self.generic_visit(node)
        self._around.pop()

    visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = _inside  # noqa: N815 - of ast

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not self._by_name and node.attr == self._name and isinstance(node.ctx, ast.Load):
            self._found(node)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if self._by_name and node.value == self._name and self._around:
            self._found(node)

    def _found(self, node: ast.expr) -> None:
        self.readers.append(Reader(self._module, ".".join(self._around), node.lineno))
