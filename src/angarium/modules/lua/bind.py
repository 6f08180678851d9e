"""What who writes a function for Lua needs, in one place.

    @lua("msys.base64.encode")
    def encode(original: bytes, fold: bool = False) -> bytes:
        '''Encode ...'''

An argument is checked and converted by its annotation: `bytes` (a string as it is), `str` (UTF-8,
what is not kept by surrogates), `int`, `float`, `bool`, `Function`, `Table`, `object` (anything),
a class declared by `lua_object`, `X | None`, with defaults; `*rest: object` takes what is left. A
first one annotated `Runtime` is given the Lua of the worker. An `async def` suspends the script;
`otherwise=` names what is called where nothing may wait. `-> X | Awaitable[X]` waits only at times.
Results: None, bool, int, float, bytes, str, lists and dicts (tables), declared objects, `Several`.
"""

from angarium.modules.lua.declare import Function as Function
from angarium.modules.lua.declare import Runtime as Runtime
from angarium.modules.lua.declare import Several as Several
from angarium.modules.lua.declare import Table as Table
from angarium.modules.lua.declare import lua as lua
from angarium.modules.lua.declare import lua_constants as lua_constants
from angarium.modules.lua.declare import lua_field as lua_field
from angarium.modules.lua.declare import lua_object as lua_object
from angarium.modules.lua.errors import LuaError as LuaError
