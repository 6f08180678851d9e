"""msys.dumper: values as text, for people who look for a fault.

What comes out is Lua, so that it can be read back: numbers and strings of a table are sorted. It
ends somewhere: tables may hold themselves.
"""

from typing import Final, cast

from angarium.modules.lua.bind import Table, lua
from angarium.modules.lua.declare import kind_of

MOST_LEVELS: Final = 20
MOST_VALUES: Final = 10_000
_SPECIAL: Final = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n", ord("\r"): "\\r"}


@lua("msys.dumper.Dumper")
def dumper(res: object) -> bytes:
    """Return a value as text, "return {" and what is in it."""
    lines = ["return "]
    _Dump(lines).value(res, 0)
    return "".join(lines).encode("latin-1")


class _Dump:
    """Writes values, up to so many."""

    def __init__(self, out: list[str]) -> None:
        self._out = out
        self._left = MOST_VALUES

    def value(self, value: object, level: int) -> None:
        self._left -= 1
        if value is None:
            self._out.append("nil")
        elif isinstance(value, bool):
            self._out.append("true" if value else "false")
        elif isinstance(value, int | float):
            self._out.append(f"{value:.14g}")
        elif isinstance(value, bytes):
            self._out.append(quoted(value))
        elif (kind := kind_of(type(value))) is not None:
            self._out.append(f"nil --[[ {kind.name} ]]")
        elif hasattr(value, "items"):
            self._table(cast(Table, value), level)
        else:
            self._out.append("nil --[[ function ]]")

    def _table(self, table: Table, level: int) -> None:
        out = self._out
        if level >= MOST_LEVELS or self._left <= 0:
            out.append("nil --[[ and so on ]]")
            return
        items = sorted(table.items(), key=_order)
        if not items:
            out.append("{}")
            return
        margin = "  " * (level + 1)
        out.append("{\n")
        for key, each in items:
            out.append(f"{margin}[")
            self.value(key, level + 1)
            out.append("] = ")
            self.value(each, level + 1)
            out.append(",\n")
        out.append("  " * level + "}")


def _order(item: tuple[object, object]) -> tuple[int, float, bytes]:
    key = item[0]
    if isinstance(key, int | float):
        return 0, float(key), b""
    return (1, 0.0, key) if isinstance(key, bytes) else (2, 0.0, b"")


def quoted(octets: bytes) -> str:
    """Return a string as Lua writes it; characters stand for octets."""
    text = octets.decode("latin-1").translate(_SPECIAL)
    return '"' + "".join(each if each >= " " else f"\\{ord(each):03d}" for each in text) + '"'
