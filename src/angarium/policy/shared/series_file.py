"""A series as a file: what is written when the server ends, and window by window.

    angarium-series 1
    name: logins
    type: cidr
    interval: 300
    windows: 6
    saved: 1700000000000
    by: 0.1699999990000 1.1699999990001

    1699999800	192.0.2.1	17

Below the blank line stands a line for each key of each window: when the window began, the key, the
count, with tabs between them. Keys which are no addresses are percent-encoded.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes

from angarium.core.errors import Error
from angarium.policy.shared.blocks import BlockError, packed, shown
from angarium.policy.shared.series import STRING, TYPES
from angarium.policy.shared.told import Number, Origin, bounded

MAGIC: Final = "angarium-series 1"
SAVED: Final = -2  # the number of the worker which a file stands for
MOST_OCTETS: Final = 1 << 30
_FIELDS: Final = ("name", "type", "interval", "windows", "saved", "by")


class SeriesFileError(Error):
    """A file is no series."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What a file has.

    Attributes:
        at: when it was written, in ms of Unix time.
        by: the workers whose counts are in it.
        kept: counts by when their window began.
    """

    name: str
    kind: str
    interval: int
    windows: int
    at: int
    by: tuple[Origin, ...] = ()
    kept: Mapping[int, Mapping[bytes, Number]] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        """Return as whose its counts go in: all workers which read it name the same."""
        return SAVED, self.at


def path_of(folder: Path, name: str, suffix: str = "") -> Path:
    """Return where a series lies in a folder."""
    return folder / f"{quote(name, safe='')}{suffix}"


def lines(saved: Saved) -> Iterator[str]:
    """Yield the lines of a file."""
    by = " ".join(f"{number}.{born}" for number, born in saved.by)
    fields = (saved.name, saved.kind, saved.interval, saved.windows, saved.at, by)
    yield f"{MAGIC}\n"
    for name, value in zip(_FIELDS, fields, strict=True):
        yield f"{name}: {quote(str(value), safe=' /.:') if name == 'name' else value}\n"
    yield "\n"
    plain = saved.kind == STRING
    for start, totals in saved.kept.items():
        for key, value in totals.items():
            written = quote_from_bytes(key, safe=" /:@!$&'()*+,;=") if plain else shown(key)
            yield f"{start}\t{written}\t{value}\n"


def write(path: Path, saved: Saved) -> None:
    """Write a file, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coming = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with coming.open("w", encoding="utf-8") as file:
        file.writelines(lines(saved))
    coming.replace(path)


def read(path: Path) -> Saved:
    """Return what a file has. Raises SeriesFileError, OSError."""
    if path.stat().st_size > MOST_OCTETS:
        raise SeriesFileError("the file is too long", path=path)
    with path.open(encoding="utf-8") as file:
        try:
            return _read(file)
        except (ValueError, KeyError, BlockError) as error:
            raise SeriesFileError("this is no series", path=path, reason=str(error)) from error


def _read(file: Iterator[str]) -> Saved:
    if next(file, "").rstrip("\n") != MAGIC:
        raise ValueError(f"it does not begin with {MAGIC}")
    head: dict[str, str] = {}
    for line in file:
        if not line.strip():
            break
        name, _, value = line.partition(":")
        head[name] = value.strip()
    kind = head["type"]
    if kind not in TYPES:
        raise ValueError(f"there is no type {kind}")
    kept: dict[int, dict[bytes, Number]] = {}
    for line in file:
        start, key, value = line.rstrip("\n").split("\t")
        found = unquote_to_bytes(key) if kind == STRING else packed(key)
        kept.setdefault(int(start), {})[found] = bounded(float(value))
    by = tuple(_origin(each) for each in head["by"].split())
    interval, windows = int(head["interval"]), int(head["windows"])
    name = unquote_to_bytes(head["name"]).decode()
    return Saved(name, kind, interval, windows, int(head["saved"]), by, kept)


def _origin(text: str) -> Origin:
    number, _, born = text.partition(".")
    return int(number), int(born)
