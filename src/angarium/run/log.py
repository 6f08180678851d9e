"""The service log: what the programs say about themselves, on standard error.

Readable lines on a terminal, one JSON object a line otherwise. What happens to mail is not here:
that is events and the text logs made from them.
"""

import re
import sys
from typing import Any

import structlog

from angarium.run.alarm import Faults, Panics
from angarium.run.flags import GENERIC
from angarium.run.options import Node


def setup(
    process: str, panics: Panics | None = None, part: str = GENERIC, node: Node | None = None
) -> Any:
    """Configure the service log of this process and return its logger.

    Args:
        panics: paniclogs which get what debug_flags name, where the process has no other way.
        part: of the server, as debug_flags call it, which speaks where a line does not say so.
        node: has how times are written for people.
    """
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    # The renderer for people prints tracebacks by itself; in JSON they are a text.
    tracebacks = [] if sys.stderr.isatty() else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _stamper(node or Node.make()),
            *([Faults(process, panics, part)] if panics is not None else []),
            *tracebacks,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    return structlog.get_logger().bind(process=process)


def _stamper(node: Node) -> Any:
    """Return what puts the time into a line: by ISO 8601, or for people as timestampformat has it.

    %S and %T have microseconds with log_hires_timestamp, as in the logs.
    """
    if not sys.stderr.isatty():
        return structlog.processors.TimeStamper(fmt="iso", utc=True)
    form = node.timestampformat.rstrip()
    if node.log_hires_timestamp:
        form = re.sub(r"(%%)|(%[ST])", lambda found: found[1] or f"{found[2]}.%f", form)
    return structlog.processors.TimeStamper(fmt=form, utc=False)
