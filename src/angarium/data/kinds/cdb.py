"""Constant databases: a query is `PATH?KEY`, a row each value of the key, with one column.

The form is D. J. Bernstein's: 256 tables, told at the front by their places; a table is pairs of
the hash of a key and the place of its record. A look-up reads a few octets, however large the file.
"""

import os
import struct
from collections.abc import Iterator
from typing import Final

from angarium.data.driver import Bound, Limits
from angarium.data.errors import StatementError
from angarium.data.files import Files
from angarium.data.rows import Columns, Row, Rows, text
from angarium.data.uri import Uri

_PAIR: Final = struct.Struct("<II")
_TABLES: Final = 256
_SEED: Final = 5381
_LARGEST: Final = 16 * 1024 * 1024  # octets of a record; more is a broken file
_VALUE: Final = Columns.unnamed(1)


def hashed(key: bytes) -> int:
    value = _SEED
    for octet in key:
        value = ((value << 5) + value & 0xFFFFFFFF) ^ octet
    return value


def values(handle: int, key: bytes) -> Iterator[bytes]:
    """Yield the values of a key in an open file. Raises StatementError if that is no database."""
    hash_ = hashed(key)
    where, slots = _pair(handle, hash_ % _TABLES * _PAIR.size)
    for step in range(slots):
        slot = ((hash_ >> 8) + step) % slots
        found, place = _pair(handle, where + slot * _PAIR.size)
        if not place:
            return
        if found != hash_:
            continue
        key_length, length = _pair(handle, place)
        if key_length + length > _LARGEST:
            raise StatementError("the file is no constant database")
        record = os.pread(handle, key_length + length, place + _PAIR.size)
        if record[:key_length] == key:
            yield record[key_length:]


def _pair(handle: int, place: int) -> tuple[int, int]:
    octets = os.pread(handle, _PAIR.size, place)
    if len(octets) < _PAIR.size:
        raise StatementError("the file is no constant database")
    one, two = _PAIR.unpack(octets)
    return one, two


def read(bound: Bound, limits: Limits) -> Rows:
    """Return the values of a key."""
    key = str(bound.values[0]).encode("utf-8", "surrogateescape")
    found: list[Row] = []
    handle = os.open(bound.text, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for each in values(handle, key):
            if len(found) == limits.rows:
                break
            found.append(Row(_VALUE, [text(each, limits.charset)]))
    finally:
        os.close(handle)
    return tuple(found)


class Driver(Files):
    """Files; `cdb:PATH` names the one of queries which name none: `?KEY`."""

    def __init__(self, uri: Uri, limits: Limits) -> None:
        super().__init__(uri.kind, uri.rest, read, limits)
