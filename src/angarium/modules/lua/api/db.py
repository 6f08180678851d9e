"""msys.db: queries to the datasources of the configuration.

    for row in msys.db.query("users", "SELECT name FROM users WHERE id = ?", { 5 }) do
      print(row.name)
    end

Values go beside the query, never into it. nil is NULL; a string which is no UTF-8 goes as octets.
"""

from collections.abc import Iterator
from typing import cast

from angarium.data.errors import DataError
from angarium.data.rows import Row, Scalar, Value
from angarium.data.sources import Datasources
from angarium.data.statement import Parameters
from angarium.modules.lua.bind import LuaError, Runtime, Several, Table, lua, lua_object


@lua_object("rows", "db_rows")
class Found:
    """Rows, one after the other."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self.rows = rows


class _Given(dict[str | int, Scalar]):
    """Parameters; what is not there is NULL, as nil is not there in a table."""

    def __missing__(self, name: str | int) -> Scalar:
        return None


def parameters(given: Table | None) -> Parameters:
    """Return parameters of a script as those of a query. Raises LuaError."""
    if given is None:
        return ()
    found = _Given()
    for key, value in given.items():
        name: str | int
        if isinstance(key, bytes):
            name = key.decode("utf-8", "surrogateescape").lstrip(":$")
        elif isinstance(key, int | float) and not isinstance(key, bool):
            name = int(key)
        else:
            raise LuaError("parameters have names or places")
        found[name] = _scalar(value)
    return cast(Parameters, found)


def _scalar(value: object) -> Scalar:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise LuaError("a parameter is a string, a number, a boolean or nil")


def row_of(row: Row) -> dict[object, object]:
    """Return a row as scripts get it: by name, or by place where columns have no names."""
    if row.columns.named:
        return {name: _value(each) for name, each in row.items()}
    return {place: _value(each) for place, each in enumerate(row.line, 1)}


def _value(value: Value) -> object:
    return [_value(each) for each in value] if isinstance(value, tuple | list) else value


def sources(lua: Runtime) -> Datasources:
    """Return the datasources of the worker."""
    return cast(Datasources, lua.services.part(Datasources, "a datasource"))


def _raises(options: Table | None) -> bool:
    return options is None or options.flag("raise_error", True)


def _fresh(options: Table | None) -> bool:
    return options is not None and options.flag("nocache")


def _text(query: bytes) -> str:
    return query.decode("utf-8", "surrogateescape")


@lua("msys.db.query", since="3.0")
async def query(
    lua: Runtime,
    cachename: str,
    query: bytes,
    queryparams: Table | None = None,
    options: Table | None = None,
) -> Several:
    """Query a datasource; return an iterator over the rows, each a table.

    Parameters are a table: by place for ?, by name for :name and $name. Options: `nocache`, ask
    the database in any case; `raise_error`, false to get nil and the reason instead of an error.
    """
    try:
        found = await sources(lua).query(
            cachename, _text(query), parameters(queryparams), fresh=_fresh(options)
        )
    except DataError as error:
        return _failed(error, options)
    return Several(Found(iter(found)))


@lua("rows:__call", package="msys.datasource")
def rows_next(self: Found) -> dict[object, object] | None:
    """Return the next row, nil after the last one."""
    row = next(self.rows, None)
    return None if row is None else row_of(row)


@lua("msys.db.fetch_row", since="3.1")
async def fetch_row(
    lua: Runtime,
    cachename: str,
    query: bytes,
    queryparams: Table | None = None,
    options: Table | None = None,
) -> Several:
    """Query a datasource; return the first row as a table, nil if there is none.

    Parameters and options are those of msys.db.query.
    """
    try:
        row = await sources(lua).fetch_row(
            cachename, _text(query), parameters(queryparams), fresh=_fresh(options)
        )
    except DataError as error:
        return _failed(error, options)
    return Several(None if row is None else row_of(row))


@lua("msys.db.execute", since="3.1")
async def execute(
    lua: Runtime,
    cachename: str,
    query: bytes,
    queryparams: Table | None = None,
    options: Table | None = None,
) -> Several:
    """Run a statement which returns no rows; return true.

    Parameters and options are those of msys.db.query; without errors it returns false and the
    reason.
    """
    try:
        await sources(lua).execute(cachename, _text(query), parameters(queryparams))
    except DataError as error:
        return _failed(error, options, False)
    return Several(True)


def _failed(error: DataError, options: Table | None, nothing: bool | None = None) -> Several:
    if _raises(options):
        raise LuaError(str(error)) from error
    return Several(nothing, str(error))
