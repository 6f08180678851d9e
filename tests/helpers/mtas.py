"""What the loggers which write as other servers do are given, and what they wrote."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from angarium.events import format as lines
from angarium.events.schema import Discard, Event
from angarium.modules.loggers.places import Places
from helpers.streams import delivery, permanent, reception, rejection, transient

AT = 1_700_000_000.0  # Tue Nov 14 22:13:20 UTC 2023
SOURCE = "198.51.100.7:4000"
MAIL = {"mailfrom_localpart": "a", "mailfrom_domain": "b.test", "mailfrom_string": "MAIL FROM:"}
RCPT = {"rcptto_localpart": "x", "rcptto_domain": "y.test", "rcptto_string": "RCPT TO:<x@y.test>"}
DROPPED = Discard(
    AT + 1, 5, 5, 0, 0, "bob@example.com", "", "example.com", 9, "g", "b", AT, "550 not wanted"
)
EVENTS: list[Event] = [
    *(reception(ident, AT, source=SOURCE) for ident in range(1, 5)),
    reception(5, AT, source="", sender=""),
    transient(1, AT + 1, received_at=AT, reason="451 4.2.1 later"),
    delivery(1, AT + 90, attempt=1, received_at=AT, reply="250 2.1.5 it's \"ours\""),
    permanent(2, AT + 2, received_at=AT, reason="550 5.1.1 no user"),
    permanent(3, AT + 90_000, received_at=AT, remote="", reason="554 5.4.7 old", kind="expired"),
    permanent(4, AT + 3, received_at=AT, remote="", reason="550 by us", kind="failed"),
    DROPPED,
    replace(rejection(AT + 4), phase=13, conn_vars={"ehlo_domain": "c"}, mess_vars=MAIL | RCPT),
    replace(rejection(AT + 4, "5.1.8 no such sender"), phase=4, mess_vars=MAIL),
    replace(rejection(AT + 4, "go\naway"), phase=0),
]  # fmt: skip


def wrote(make: Callable[[Any, Places, lines.Stamp], Any], options: Any, folder: Path) -> list[str]:
    """Return the lines a logger makes of the events; its mainlog is "log"."""
    made = make(options, Places(folder), lines.seconds)
    made.take(EVENTS)
    made.beat(AT)
    assert made.heartbeat == 0.0
    for log in made.logs:
        log.flush()
    path = folder / "log"
    return path.read_text().splitlines() if path.exists() else []
