"""Files with values separated by commas: a query is `PATH?cols=N`, a row each line.

All lines are returned, up to `max_rows`; their columns have no names. With `cols` there are as many
of each line, and those a line does not have are nothing; without, each line has its own number.
"""

import csv
import io
from typing import Final
from urllib.parse import parse_qsl

from angarium.data.driver import Bound, Limits
from angarium.data.errors import StatementError
from angarium.data.files import Files, octets_of
from angarium.data.rows import Columns, Row, Rows, Value, text
from angarium.data.uri import Uri

_MOST: Final = 10_000  # columns


def read(bound: Bound, limits: Limits) -> Rows:
    """Return the lines of a file."""
    count = _columns(str(bound.values[0]))
    content = io.StringIO(text(octets_of(bound.text), limits.charset), newline="")
    found: list[Row] = []
    columns: dict[int, Columns] = {}
    try:
        for fields in csv.reader(content, skipinitialspace=True):
            if len(found) == limits.rows:
                break
            if fields:
                line: list[Value] = list(fields)
                if count:
                    line = line[:count] + [None] * (count - len(line))
                width = len(line)
                found.append(Row(columns.setdefault(width, Columns.unnamed(width)), line))
    except csv.Error as error:
        raise StatementError(f"this is no CSV: {error}", file=bound.text) from None
    return tuple(found)


def _columns(query: str) -> int:
    """Return the number of columns; 0 for as many as there are."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    count = given.pop("cols", "0")
    if given:
        raise StatementError("only cols is known", name=next(iter(given)))
    if not count.isdecimal() or int(count) > _MOST:
        raise StatementError("cols is no number", value=count)
    return int(count)


class Driver(Files):
    """Files; `csv:PATH` names the one of queries which name none."""

    def __init__(self, uri: Uri, limits: Limits) -> None:
        super().__init__(uri.kind, uri.rest, read, limits)
