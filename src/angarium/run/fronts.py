"""PROXY headers at the listeners of a process: who has to send one, and what became of them.

Whether a connection begins with a header is decided by the options for the address it comes from,
which is that of the proxy. So a peer stanza may ask it of the proxy alone, and others come without.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, Protocol

from angarium.config.resolve import Configuration, Endpoint
from angarium.events.metrics import Metrics, counter
from angarium.net.front import OUTCOMES, Front, Hall, Seat
from angarium.net.options.proxy import ProxyBefore

MOST: Final = 64  # connections of one socket which wait for a header, where sessions are few
HEADERS: Final = counter(
    "proxy_headers",
    "Connections which had to begin with a PROXY header, by what came of them; unnamed: the proxy"
    " spoke for itself.",
    label="outcome",
    values=OUTCOMES,
)
_FAULTS: Final = {
    "bad": "connections are closed which do not begin with a PROXY header",
    "late": "connections are closed whose PROXY header does not come in time",
    "crowded": "connections are closed, as too many wait for their PROXY header",
}

Factory = Callable[[], Any]
Sitting = Callable[[str, str], Seat | None]  # by listen stanza and address


class Told(Protocol):
    """Told what is wrong, by a text which is the same for one reason."""

    def __call__(self, text: str, /) -> None: ...


class Fronts:
    """Those of one listener.

    Args:
        tell: told of connections which are closed.
        metrics: where they are counted.
        most: connections of one socket which may wait at once.
        seat: counts one which waits; None: there is no room for it.
    """

    def __init__(
        self,
        listener: str,
        tell: Told,
        metrics: Metrics | None = None,
        *,
        most: int = MOST,
        seat: Sitting | None = None,
    ) -> None:
        self._listener = listener
        self._tell = tell
        metrics = metrics or Metrics()
        self._counts = {each: metrics.cell(HEADERS, each) for each in OUTCOMES}
        self._most = most
        self._seat = seat
        self._halls: dict[str, Hall] = {}
        self._configuration: Configuration | None = None  # where some stanza asks for headers

    @property
    def waiting(self) -> int:
        """Return how many connections wait."""
        return sum(len(each.waiting) for each in self._halls.values())

    def use(self, configuration: Configuration, wanted: Iterable[Endpoint]) -> None:
        """Go over to a generation, for connections from now on."""
        section = configuration.root.get(self._listener)
        asked = section is not None and any(
            each.values.get("proxy_protocol") for each in section.walk()
        )
        self._configuration = configuration if asked else None
        names = {each.name for each in wanted}
        for name in self._halls.keys() - names:
            self._halls.pop(name).close()

    def before(self, where: Endpoint, factory: Factory) -> Factory:
        """Return what makes the protocol of a connection, with a front where one is asked for."""
        return partial(self._made, where.name, factory)

    def close(self) -> None:
        """Close what waits."""
        for hall in self._halls.values():
            hall.close()

    def _made(self, listen: str, factory: Factory) -> Any:
        if self._configuration is None:
            return factory()
        hall = self._halls.get(listen)
        if hall is None:
            hall = self._halls[listen] = self._hall(listen)
        return Front(hall, factory)

    def _hall(self, listen: str) -> Hall:
        seconds, note = partial(self._seconds, listen), partial(self._note, listen)
        if self._seat is None:
            return Hall(seconds, most=self._most, note=note)
        return Hall(seconds, most=self._most, note=note, seat=partial(self._seat, listen))

    def _seconds(self, listen: str, address: str) -> float | None:
        if self._configuration is None:
            return None
        options = self._configuration.at(
            ProxyBefore, listener=self._listener, listen=listen, peer=address
        )
        return options.proxy_protocol_timeout if options.proxy_protocol else None

    def _note(self, listen: str, outcome: str) -> None:
        self._counts[outcome].value += 1
        if outcome in _FAULTS:
            self._tell(f"{self._listener} {listen}: {_FAULTS[outcome]}")
