"""Every option which is said to work has a test that proves it, and the test says so.

    @pytest.mark.effect("retry_interval", "ec_logger.mainlog")
    def test_...

A test proves an effect if a value other than the default makes the server do something else; that
a value arrives in an object proves nothing. By the syntax trees of the tests: nothing is imported.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from angarium.config.load import declarations
from angarium.config.option import OPTIONS, State

declarations()

TESTS = Path(__file__).parent.parent
WORKING = {each.key for each in OPTIONS.values() if each.state is State.WORKS}


def effects(tree: ast.AST) -> Iterator[str]:
    """Yield the options which the tests of a module name; marks of parameters count too."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not node.name.startswith("test_"):
            continue
        for decorator in node.decorator_list:
            for each in ast.walk(decorator):
                if isinstance(each, ast.Call) and ast.unparse(each.func) == "pytest.mark.effect":
                    yield from (ast.literal_eval(name) for name in each.args)


def named() -> dict[str, str]:
    """Return the option to a file of tests which proves it."""
    return {
        name: str(path.relative_to(TESTS))
        for path in sorted(TESTS.rglob("test_*.py"))
        for name in effects(ast.parse(path.read_text("utf-8")))
    }


NAMED = named()


def test_an_option_which_works_has_a_test_of_its_effect() -> None:
    assert sorted(WORKING - NAMED.keys()) == []


def test_an_effect_is_one_of_an_option_which_works() -> None:
    assert {name: path for name, path in NAMED.items() if name not in WORKING} == {}


def test_marks_are_found_on_tests_and_on_parameters_only() -> None:
    tree = ast.parse(
        "@pytest.mark.effect('a', 'b')\n"
        "def test_one(): ...\n"
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.effect('c'))])\n"
        "async def test_two(): ...\n"
        "@pytest.mark.effect('d')\n"
        "def helper(): ...\n"
    )
    assert list(effects(tree)) == ["a", "b", "c"]
