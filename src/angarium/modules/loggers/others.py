"""What the loggers which write as other servers do have in common.

Those servers have an id for a message; here each recipient has one of its own, so each is a message
with one recipient to their log programs. What their lines say about things we do not record, such
as the name of a host whose address is known, is left out, or said in their words for not knowing.
"""

import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from angarium.events import format as lines
from angarium.events.schema import Event, Rejection, TransientFailure
from angarium.modules.loggers.places import Log, Places

# From an event to the texts of its lines, without time.
Texts = Callable[[Any], Sequence[str]]

_CODE: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")


class Others:
    """A logger whose lines other servers' log programs read.

    Args:
        texts: by the class of the event.
        head: what each line begins with, as of strftime.
    """

    __slots__ = ("_head", "_second", "_texts", "_time", "logs")

    def __init__(
        self, mainlog: str | None, places: Places, texts: dict[type, Texts], head: str
    ) -> None:
        self._texts = texts
        self._head = head
        self._second = -1
        self._time = ""
        self.logs: list[Log] = [places.log(mainlog)] if mainlog else []

    @property
    def heartbeat(self) -> float:
        """Return the seconds between heartbeats: those servers have none."""
        return 0.0

    def take(self, events: Sequence[Event]) -> None:
        """Make lines of events."""
        found = []
        for event in events:
            texts = self._texts.get(type(event))
            if texts is not None:
                head = self._begun(event.at)
                found += [(head + lines.escape_rest(text)).encode() for text in texts(event)]
        for log in self.logs:
            log.add(found)

    def _begun(self, at: float) -> str:
        if (second := int(at)) != self._second:
            self._time, self._second = time.strftime(self._head, time.localtime(second)), second
        return self._time

    def beat(self, now: float) -> None:
        """Write nothing."""


def chosen(texts: dict[type, Texts], transient: bool | None) -> dict[type, Texts]:
    """Return the events to write; transient failures unless they are turned off."""
    if transient is False:
        return {kind: each for kind, each in texts.items() if kind is not TransientFailure}
    return texts


def code_of(text: str, otherwise: str) -> str:
    """Return the enhanced status code in a reply."""
    found = _CODE.search(text)
    return found[1] if found and found[1][0] == otherwise[0] else otherwise


def port_of(endpoint: str) -> str:
    """Return the port of an endpoint; "" if it has none."""
    address, colon, port = endpoint.rpartition(":")
    return port if colon and port.isdecimal() and (":" not in address or "]" in address) else ""


def named(event: Rejection, name: str) -> str:
    """Return the address a refusal is about, `mailfrom` or `rcptto`; "" if none was said yet."""
    local = event.mess_vars.get(f"{name}_localpart", "")
    domain = event.mess_vars.get(f"{name}_domain", "")
    return f"{local}@{domain}" if domain else local
