"""What scripts say to chunk_logger gets there, whichever name they call it by."""

from types import SimpleNamespace
from typing import cast

import pytest

from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.modules.means import Means
from helpers.clock import FakeClock
from helpers.lua import services
from helpers.snippets import run, state


def _lua(loggers: dict[str, list[object]]) -> State:
    made = services(clock=FakeClock())
    made.parts[Means] = cast(Means, SimpleNamespace(modules=loggers))
    return state(made)


def test_a_text_goes_to_the_log() -> None:
    texts: list[bytes] = []
    lua = _lua({"chunk_logger": [SimpleNamespace(log=texts.append)]})
    run(
        """
        require("msys.ts.chunk_logger") require("msys.beta.chunk_logger_int")
        msys.ts.chunk_logger.log("one")
        msys.beta.chunk_logger_int.log("two")
        """,
        lua,
    )
    assert texts == [b"one", b"two"]


def test_without_the_module_it_is_said_what_is_missing() -> None:
    with pytest.raises(ScriptError, match="chunk_logger is not loaded"):
        run('require("msys.ts.chunk_logger") msys.ts.chunk_logger.log("x")', _lua({}))
