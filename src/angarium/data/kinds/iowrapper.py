"""The content of a file as one row with one column: a query is a path, `file://` before it or not.

Other IO wrappers, such as http_io, there are not: they are refused by their names.
"""

import re
from typing import Final

from angarium.data.driver import Bound, Limits
from angarium.data.errors import StatementError
from angarium.data.files import Files, octets_of
from angarium.data.rows import Columns, Row, Rows, Scalar, text
from angarium.data.statement import Template
from angarium.data.uri import Uri

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_CONTENT: Final = Columns.unnamed(1)


def read(bound: Bound, limits: Limits) -> Rows:
    """Return the content of a file."""
    return (Row(_CONTENT, [text(octets_of(bound.text), limits.charset)]),)


class Driver(Files):
    """Files."""

    def __init__(self, uri: Uri, limits: Limits) -> None:
        super().__init__(uri.kind, uri.rest, read, limits)

    def bind(self, text: str, template: Template, values: tuple[Scalar, ...]) -> Bound:
        query = text.strip()
        if scheme := _SCHEME.match(query):
            if scheme[1].lower() != "file":
                raise StatementError("there is no such IO wrapper; files are read", name=scheme[1])
            query = query[scheme.end() :]
        return super().bind(query, template, values)
