"""TLS at the listeners of HTTP: which connections begin with it, by what, and what became of them.

It comes behind the front of a PROXY header, so the options are those for the client whom the proxy
names. There is no going on in clear where TLS is wanted: what cannot be had closes the connection.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from angarium.config.resolve import Configuration, Endpoint
from angarium.core.clock import Clock
from angarium.events.metrics import Metrics, counter
from angarium.net.options.acme import awaited
from angarium.net.options.tls import Certificates, InboundTls, TlsLibrary
from angarium.net.tls.contexts import Context, Contexts
from angarium.net.tls.entrance import Threshold
from angarium.net.tls.errors import Trouble
from angarium.net.tls.facts import Facts
from angarium.net.tls.handshakes import Handshakes
from angarium.web.guard import MOST_CONNECTIONS
from angarium.web.options import HTTP

HANDSHAKES: Final = counter(
    "tls_handshakes_http",
    "Handshakes of TLS with clients of HTTP, by how they ended.",
    label="outcome",
    values=("secure", *(each.name.lower() for each in Trouble)),
)

Factory = Callable[[], Any]


class HttpTls:
    """That of all listeners of HTTP.

    Args:
        tell: told why there is no TLS somewhere.
        metrics: where handshakes are counted.
    """

    def __init__(self, tell: Callable[[str], None], metrics: Metrics, clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        self._counts = {each: metrics.cell(HANDSHAKES, each) for each in HANDSHAKES.values}
        self._handshakes: Handshakes | None = None
        self._configuration: Configuration
        self._told: set[str] = set()  # in this generation
        self._wanted = False
        self.contexts: Contexts

    def use(self, configuration: Configuration) -> None:
        """Go over to a generation, for connections from now on."""
        self._configuration = configuration
        self._told.clear()
        shared, held = configuration.top(TlsLibrary), configuration.held
        now = self._clock.monotonic
        self.contexts = Contexts(shared, self._once, now, awaited(configuration), held)
        section = configuration.root.get(HTTP)
        self._wanted = section is not None and any(
            each.values.get("use_ssl") for each in configuration.root.walk()
        )

    def before(self, where: Endpoint, factory: Factory) -> Factory:
        """Return what makes the protocol of a connection, with TLS before it where it is wanted."""
        if not self._wanted:
            return factory
        if self._handshakes is None:
            loop = asyncio.get_running_loop()
            self._handshakes = Handshakes(loop, most=MOST_CONNECTIONS)
        begins, context = partial(self._begins, where.name), partial(self._context, where.name)
        return Threshold(begins, context, self._handshakes, self._done).before(factory)

    def _begins(self, listen: str, address: str) -> bool:
        found = self._configuration.at(InboundTls, listener=HTTP, listen=listen, peer=address)
        return found.use_ssl

    def _context(self, listen: str, address: str) -> Context | None:
        at = {"listener": HTTP, "listen": listen, "peer": address}
        certificates = self._configuration.at(Certificates, **at)
        return self.contexts.usable(certificates, self._configuration.at(InboundTls, **at))

    def _done(self, outcome: Facts | Trouble) -> None:
        name = outcome.name.lower() if isinstance(outcome, Trouble) else "secure"
        self._counts[name].value += 1

    def _once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._tell(text)
