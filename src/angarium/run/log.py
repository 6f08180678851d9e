"""The service log: what the programs say about themselves, on standard error.

Readable lines on a terminal, one JSON object a line otherwise. What happens to mail is not here:
that is events and the text logs made from them.
"""

import sys
from typing import Any

import structlog

from angarium.run.alarm import Faults, Panics


def setup(process: str, panics: Panics | None = None) -> Any:
    """Configure the service log of this process and return its logger.

    Args:
        panics: paniclogs which get the faults too, where the process has none of its own way.
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
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([Faults(process, panics)] if panics is not None else []),
            *tracebacks,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    return structlog.get_logger().bind(process=process)
