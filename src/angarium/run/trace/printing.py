"""Records for people, and as XML."""

import re
import time
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from angarium.run.trace.records import Record

_SHOWN: Final = {
    "R": ("source", "size", "protocol", "group", "binding"),
    "": ("remote", "local", "pathway", "pathway_group", "phase", "reply", "module", "reason"),
}
_BLANK: Final = re.compile(r'[\s"\\]')
# What XML 1.0 has no way to write.
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TITLES: Final = {
    "R": "Receptions",
    "D": "Deliveries",
    "X": "Transfers",
    "T": "Transient failures",
    "P": "Permanent failures",
    "": "Rejections",
}


def stamp(record: Record, *, dates: bool) -> str:
    return time.ctime(record.at) if dates else record.stamp


def fields(record: Record) -> Iterator[tuple[str, str]]:
    """Yield what is told of a record, by name."""
    if record.code == "R":
        yield "from", f"<{record.sender}>"
        yield "to", f"<{record.recipient}>"
    for name in _SHOWN.get(record.code) or record.fields:
        if name in record.fields:
            yield name, record.fields[name]


def line(record: Record, *, dates: bool) -> str:
    """Return a record on one line."""
    said = [f"{name}={value(text)}" for name, text in fields(record)]
    return " ".join([stamp(record, dates=dates), record.name, record.ident, *said])


def value(text: str) -> str:
    if text and text.isprintable() and not _BLANK.search(text):
        return text
    shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in
                    text.replace("\\", r"\\"))  # fmt: skip
    return '"' + shown.replace('"', r"\"") + '"'


def details(record: Record, *, dates: bool) -> Iterator[str]:
    """Yield the lines which tell all of a refusal."""
    yield f"{record.name} {record.ident}"
    yield f"  time: {stamp(record, dates=dates)}"
    for name, text in fields(record):
        yield f"  {name}: {value(text)}"
    for title, there in (("connection", record.conn), ("message", record.mess)):
        for name, text in there.items():
            yield f"  {title} {name}: {value(text)}"


def xml(record: Record, *, dates: bool) -> Iterator[str]:
    """Yield the lines of an element."""
    said = [("time", stamp(record, dates=dates)), ("id", record.ident)]
    attributes = "".join(f" {name}={quoteattr(_possible(text))}" for name, text in said)
    yield f"  <{record.name}{attributes}>"
    for name, text in fields(record):
        yield f"    <{name}>{escape(_possible(text))}</{name}>"
    for title, there in (("connection", record.conn), ("message", record.mess)):
        for name, text in there.items():
            attribute = quoteattr(_possible(name))
            yield f"    <{title} name={attribute}>{escape(_possible(text))}</{title}>"
    yield f"  </{record.name}>"


def _possible(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
