"""`Services`: what lies outside of Lua, handed in by who puts a worker together.

A function which needs something else gets a field here, not an import.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from angarium.core.clock import Clock
from angarium.modules.lua.errors import LuaError


def _nobody(text: str) -> None:
    """Nobody listens: a server always does."""


@dataclass(slots=True)
class Services:
    """What functions of Lua may reach; what is None is not there in this process.

    `panic` writes a line to the panic log, `show` what a script prints.
    """

    clock: Clock
    panic: Callable[[str], None] = _nobody
    show: Callable[[str], None] = _nobody
    parts: dict[type, object] = field(default_factory=dict)

    def part(self, kind: type, what: str) -> object:
        """Something handed in by its type.

        Raises:
            LuaError: it is not there.
        """
        found = self.parts.get(kind)
        if found is None:
            raise LuaError(f"{what} is not available here")
        return found
