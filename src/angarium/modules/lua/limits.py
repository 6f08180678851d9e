"""What scripts may use of the machine; the engine of Lua keeps them to it, see `threads.lua`."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """What scripts may use.

    Attributes:
        seconds: of processor time for one call, or between two waits of it.
        memory: octets of all scripts together; 0 is no limit.
        jit: compile, after which nothing stops a script that runs away.
        spare: coroutines which are kept to be used again.
        uses: how often one is; 0 is no limit.
        fresh: none is.
        steps: of a search with a pattern which cannot be stopped; see patterns.lua.
    """

    seconds: float = 1.0
    memory: int = 0
    jit: bool = False
    spare: int = 5000
    uses: int = 0
    fresh: bool = False
    steps: int = 10_000_000


DEFAULTS: Final = Limits()
