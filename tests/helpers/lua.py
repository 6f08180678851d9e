"""A Lua for tests: services which lead nowhere but to lists."""

from collections.abc import Callable

from angarium.modules.lua.services import Services
from helpers.clock import FakeClock


def services(
    *,
    clock: FakeClock | None = None,
    panic: Callable[[str], None] = lambda text: None,
    show: Callable[[str], None] = lambda text: None,
) -> Services:
    """What a State needs, with time that stands still."""
    return Services(clock or FakeClock(), panic=panic, show=show)
