"""msys.ts.chunk_logger, msys.beta.chunk_logger_int: a log of its own for scripts."""

from typing import cast

from angarium.modules.loggers.chunk_logger import STANZA
from angarium.modules.lua.bind import LuaError, Runtime, lua
from angarium.modules.means import Means


@lua("msys.ts.chunk_logger.log", since="4.2")
def log(lua: Runtime, text: bytes) -> None:
    """Write a text to the log of `chunk_logger`, without waiting for the disk."""
    _log(lua, text)


@lua("msys.beta.chunk_logger_int.log", since="4.2")
def log_int(lua: Runtime, text: bytes) -> None:
    """As msys.ts.chunk_logger.log."""
    _log(lua, text)


def _log(lua: Runtime, text: bytes) -> None:
    means = cast(Means, lua.services.part(Means, "chunk_logger"))
    loggers = means.modules.get(STANZA)
    if not loggers:
        raise LuaError("chunk_logger is not loaded: open its stanza above that of the script")
    loggers[0].log(text)
