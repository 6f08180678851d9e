"""What can be said about a script in Python without running it.

Names nobody sets are found in the compiled code, where each use stands with its line, so they are
found in functions which no test has called. Beside them: attributes which the types of
`policy/script` do not have, and calls that are to be awaited and are not.

The rule: only what is plain is judged. A parameter is what its annotation says as long as nobody
sets it; a script with `import *` or `except NameError` may know more names than it says.
"""

import ast
import builtins
import dis
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any, Final

from angarium.policy import script

KINDS: Final[dict[str, type[Any]]] = {
    each.__name__: each for each in (script.Session, script.Message, script.Server)
}
_READ: Final = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_SET: Final = frozenset({"STORE_NAME", "STORE_GLOBAL", "IMPORT_STAR"})
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a line.

    Attributes:
        wrong: it cannot work; else it may.
    """

    line: int
    text: str
    wrong: bool


def remarks(source: bytes, path: Path) -> list[Remark]:
    """Return what is to be said about a script, by line; of what is no Python, nothing."""
    try:
        tree = ast.parse(source, str(path))
        code = compile(tree, str(path), "exec")
    except (SyntaxError, ValueError):
        return []
    found = [*_unknown(code)]
    for each in ast.walk(tree):
        if isinstance(each, Function):
            found += [*_attributes(each), *_not_awaited(each)]
    return sorted(dict.fromkeys(found), key=lambda each: (each.line, each.text))


# Names.


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)


def _unknown(module: CodeType) -> Iterator[Remark]:
    known = set(vars(builtins))
    unclear = False
    for code in _codes(module):
        for step in dis.get_instructions(code):
            if step.opname in _SET and (code is module or step.opname == "STORE_GLOBAL"):
                known.add(str(step.argval))
            unclear |= "IMPORT_STAR" in f"{step.opname} {step.argrepr}"
        unclear |= bool({"NameError", "globals", "exec"} & set(code.co_names))
    for code in _codes(module):
        yield from _unknown_in(code, known, unclear=unclear)


def _unknown_in(code: CodeType, known: set[str], *, unclear: bool) -> Iterator[Remark]:
    """The file itself is not looked at: it runs when it is loaded, and says so."""
    own = {str(each.argval) for each in dis.get_instructions(code) if each.opname == "STORE_NAME"}
    for step in dis.get_instructions(code):
        name = str(step.argval)
        if step.opname not in _READ or name in known or name in own or name.startswith("__"):
            continue
        line = step.positions.lineno if step.positions is not None else None
        yield Remark(line or code.co_firstlineno, f"nothing sets {name}", wrong=not unclear)


# What the parameters of handlers have.


def _given(function: Function) -> dict[str, type[Any]]:
    """Return the parameters which are of our types, and nothing else in the function."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    found = {each.arg: KINDS[name] for each in every if (name := _named(each.annotation)) in KINDS}
    for each in ast.walk(function):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            found.pop(each.id, None)
        elif isinstance(each, ast.arg) and each not in every:
            found.pop(each.arg, None)
    return found


def _named(annotation: ast.expr | None) -> str:
    """Return the name of a type; of `Session | None` it is the first one."""
    if isinstance(annotation, ast.BinOp):
        return _named(annotation.left)
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value.partition(" ")[0]
    return annotation.id if isinstance(annotation, ast.Name) else ""


def _attributes(function: Function) -> Iterator[Remark]:
    given = _given(function)
    for each in ast.walk(function):
        if not (isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name)):
            continue
        kind = given.get(each.value.id)
        if kind is None:
            continue
        if not hasattr(kind, each.attr):
            text = f"{kind.__name__} has no {each.attr}"
            yield Remark(each.lineno, text, wrong=isinstance(each.ctx, ast.Load | ast.Store))
        elif isinstance(each.ctx, ast.Store) and _is_fixed(kind, each.attr):
            yield Remark(each.lineno, f"{each.attr} of {kind.__name__} cannot be set", wrong=True)


def _is_fixed(kind: type[Any], name: str) -> bool:
    found = inspect.getattr_static(kind, name)
    return not isinstance(found, property) or found.fset is None


def _not_awaited(function: Function) -> Iterator[Remark]:
    """Calls of what is to be awaited whose answer is dropped, or taken for the answer itself."""
    given = _given(function)
    for each in ast.walk(function):
        if not isinstance(each, ast.Expr | ast.Assign):
            continue
        value = each.value
        if not (isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute)):
            continue
        of, name = value.func.value, value.func.attr
        kind = given.get(of.id) if isinstance(of, ast.Name) else None
        if kind is not script.Server or name not in _AWAITED:
            continue
        plain = isinstance(each, ast.Expr) or isinstance(function, ast.FunctionDef)
        if plain:
            yield Remark(each.lineno, f"Server.{name} is to be awaited", wrong=True)


_AWAITED: Final = frozenset(
    name
    for name, each in vars(script.Server).items()
    if inspect.iscoroutinefunction(each) or name == "sleep"
)
