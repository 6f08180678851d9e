"""Check the size and shape of the package's files.

A module is 500 lines at most, a function 80; a package's `__init__.py` is its docstring and
nothing else, so that the path of an import is the path of a file.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MODULE_LINES = 500
FUNCTION_LINES = 80
Function = ast.FunctionDef | ast.AsyncFunctionDef


def faults_of(name: str, text: str) -> Iterator[str]:
    """Yield a sentence for each thing of the wrong shape in the module `text`."""
    lines = len(text.splitlines())
    if lines > MODULE_LINES:
        yield f"{name}: {lines} lines, at most {MODULE_LINES}; one idea per file"
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, Function):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{name}:{node.lineno}: {node.name} has {length} lines, at most 80"
    if name.endswith("__init__.py") and (len(tree.body) != 1 or ast.get_docstring(tree) is None):
        yield f"{name}: a package says what it is in its docstring, and nothing else"


def main() -> int:
    root = Path(__file__).parent.parent
    faults = [
        fault
        for module in sorted((root / "src").rglob("*.py"))
        for fault in faults_of(str(module.relative_to(root)), module.read_text())
    ]
    print("\n".join(faults), end="\n" if faults else "", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
