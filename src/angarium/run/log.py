"""The service log: what the programs say about themselves, on standard error.

Readable lines on a terminal, one JSON object a line otherwise. What happens to mail is not here:
that is events and the text logs made from them. Rule: **whoever speaks goes on**, also where
nobody can hear it: standard error may be a file on a full disk, or a pipe whose reader is gone.
"""

import datetime
import json
import os
import re
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, TextIO

from angarium.run.alarm import Faults, Panics
from angarium.run.flags import GENERIC
from angarium.run.options import Node

_COLOURS: Final = {"info": "\x1b[32m", "warning": "\x1b[33m", "error": "\x1b[31m"}
_BOLD, _DIM, _NAME, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[0m"
_EVENT_WIDTH: Final = 30
# What stands elsewhere in a line for people.
_PLACED: Final = frozenset({"event", "level", "timestamp", "exception"})


class Log:
    """Says lines.

    Args:
        process: who speaks, where a line does not say so.
        stream: where to.
        form: of the time, for people (strftime); None: JSON.
        faults: gets each line, for the paniclogs.
    """

    __slots__ = ("_colours", "_faults", "_form", "_process", "_stream")

    def __init__(
        self, process: str, stream: TextIO, form: str | None = None, faults: Faults | None = None
    ) -> None:
        self._process = process
        self._stream = stream
        self._form = form
        self._faults = faults
        self._colours = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def info(self, text: str, **fields: Any) -> None:
        self._say("info", text, fields)

    def warning(self, text: str, **fields: Any) -> None:
        self._say("warning", text, fields)

    def error(self, text: str, **fields: Any) -> None:
        """Say that something is wrong; `exc_info` is an exception whose traceback is said too."""
        self._say("error", text, fields)

    def _say(self, level: str, text: str, fields: dict[str, Any]) -> None:
        error = fields.pop("exc_info", None)
        now = datetime.datetime.now(datetime.UTC)
        line = {"process": self._process, **fields, "event": text, "level": level}
        if error is not None:
            line["exception"] = "".join(traceback.format_exception(error)).rstrip()
        if self._faults is not None:
            self._faults(level, line)
        if self._form is None:
            line["timestamp"] = now.isoformat().replace("+00:00", "Z")
            said = json.dumps(line, default=repr)
        else:
            said = self._for_people(now.astimezone().strftime(self._form), line)
        with suppress(OSError):
            self._stream.write(f"{said}\n")
            self._stream.flush()

    def _for_people(self, time: str, line: Mapping[str, Any]) -> str:
        level = line["level"]
        words = [
            f"{self._in(_DIM, time)} [{self._in(_COLOURS[level], f'{level:<7}')}]",
            self._in(_BOLD, f"{_printable(line['event']):<{_EVENT_WIDTH}}"),
            *(
                f"{self._in(_NAME, name)}={_printable(each)}"
                for name, each in sorted(line.items())
                if name not in _PLACED
            ),
        ]
        return "\n".join([" ".join(words), *([line["exception"]] if "exception" in line else [])])

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colours else text


def _printable(value: object) -> str:
    """Return a value so that it can do nothing to a terminal: a peer may have said it."""
    text = str(value)
    return text if text.isprintable() else repr(text)


def setup(
    process: str, panics: Panics | None = None, part: str = GENERIC, node: Node | None = None
) -> Log:
    """Return the service log of this process.

    Args:
        panics: paniclogs which get what debug_flags name, where the process has no other way.
        part: of the server, as debug_flags call it, which speaks where a line does not say so.
        node: has how times are written for people.
    """
    form = _form(node or Node.make()) if sys.stderr.isatty() else None
    faults = Faults(process, panics, part) if panics is not None else None
    return Log(process, sys.stderr, form, faults)


def _form(node: Node) -> str:
    """Return how times are written for people: %S and %T with microseconds, if so configured."""
    form = node.timestampformat.rstrip()
    if node.log_hires_timestamp:
        form = re.sub(r"(%%)|(%[ST])", lambda found: found[1] or f"{found[2]}.%f", form)
    return form
