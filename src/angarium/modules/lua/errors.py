"""What goes wrong in policy written in Lua.

    Error
     +-- LuaError         said to the script, which may catch it with pcall
     +-- ScriptError      a script failed: what it said, and where it was

Whatever else a function of ours raises is a fault of ours: the script is told that there was one,
and the panic log what it was.
"""

from angarium.core.errors import Error


class LuaError(Error):
    """Raised by a function which scripts call: they see an error of Lua with this text."""


class ScriptError(Error):
    """A script ended by an error: `message` begins with file and line as Lua gives them."""

    def __init__(self, message: str, trace: str = "", **fields: object) -> None:
        super().__init__(message, **fields)
        self.trace = trace
