"""Stands in front of a protocol whose connections begin with TLS, until they are secure.

    connection -> Entrance (the handshake) -> the protocol, with a layer of TLS as its transport

As with the front of a PROXY header, which comes before it: the protocol is made when the handshake
is done, so it knows nothing of TLS but what its transport tells. Where a handshake fails it was
never made.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from angarium.net.tls.contexts import Context
from angarium.net.tls.errors import HandshakeError, Trouble
from angarium.net.tls.facts import Facts
from angarium.net.tls.handshakes import Handshakes
from angarium.net.tls.layer import TlsLayer, secure

Factory = Callable[[], Any]


class Threshold:
    """What all connections of one listening socket have in common.

    Args:
        begins: says by the address of who connects whether the connection begins with TLS.
        context: by the same; None: there is none, and the connection is closed.
        done: told what each handshake agreed on, or why it failed.
    """

    __slots__ = ("begins", "context", "done", "handshakes")

    def __init__(
        self,
        begins: Callable[[str], bool],
        context: Callable[[str], Context | None],
        handshakes: Handshakes,
        done: Callable[[Facts | Trouble], None],
    ) -> None:
        self.begins = begins
        self.context = context
        self.handshakes = handshakes
        self.done = done

    def before(self, factory: Factory) -> Callable[[], asyncio.Protocol]:
        """Return what makes the protocol of a connection, for a factory of protocols."""
        return lambda: Entrance(self, factory)


class Entrance(asyncio.Protocol):
    """One connection until it is secure."""

    __slots__ = ("_factory", "_shaking", "_threshold")

    def __init__(self, threshold: Threshold, factory: Factory) -> None:
        self._threshold = threshold
        self._factory = factory
        self._shaking = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        below, threshold = cast(asyncio.Transport, transport), self._threshold
        address = address_of(below)
        if not threshold.begins(address):
            self._make(below)
            return
        context = threshold.context(address)
        if context is None:
            below.close()
        elif threshold.handshakes.full:
            threshold.done(Trouble.CROWDED)
            below.close()
        else:
            self._shaking = True
            secure(below, self, context, threshold.handshakes, server_side=True, ready=self._secure)

    def _secure(self, layer: TlsLayer) -> None:
        self._shaking = False
        self._threshold.done(layer.facts)
        self._make(layer)

    def _make(self, transport: asyncio.Transport) -> None:
        """Let the protocol have the connection, as if it had just been made."""
        protocol = self._factory()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._shaking and isinstance(exc, HandshakeError):
            self._threshold.done(exc.trouble)


def address_of(transport: asyncio.BaseTransport) -> str:
    """Return the address of who has connected, "" by a Unix socket."""
    name = transport.get_extra_info("peername")
    if not isinstance(name, tuple):
        return ""
    host = str(name[0])
    # A client of IPv4 on a socket for both families; the zone of a link-local address.
    return host.removeprefix("::ffff:") if "." in host else host.partition("%")[0]
