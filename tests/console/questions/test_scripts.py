from collections.abc import Sequence
from types import SimpleNamespace

from angarium.console.questions.scripts import MOST, Printed, script_command


async def _long(words: Sequence[str]) -> str:
    return "x" * (MOST + 5)


async def test_what_a_command_prints_is_bounded() -> None:
    policing = SimpleNamespace(commands={"long one": _long})
    worker = SimpleNamespace(services=SimpleNamespace(policing=policing))
    printed = await script_command.function(worker, ["long", "one", "more"])
    assert (printed.known, len(printed.text)) == (True, MOST)
    assert await script_command.function(worker, ["long"]) == Printed(False)
    assert await script_command.function(worker, []) == Printed(False)
