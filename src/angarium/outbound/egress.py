"""How connections of a binding leave this machine, where they do not leave by themselves.

    way = egress(options)             None: directly, from bind_address
    way.source(address)               what the host sees, as far as we know it
    way.opening(address, port)        what is said to the proxy

Where there is a proxy the addresses to send from are its own. So `bind_address` does not count, and
no binding is suspended because this machine does not have it.
"""

import socket
from dataclasses import dataclass, field
from typing import Final

from angarium.config.kinds import Place
from angarium.net.address import ANY
from angarium.net.egress import Opening, Told
from angarium.net.errors import NoRouteError
from angarium.outbound.options import Transport
from angarium.wire import proxy
from angarium.wire.socks import Socks

SOCKS_PORT: Final = 1080  # RFC 1928 section 3


@dataclass(frozen=True, slots=True)
class Egress:
    """A proxy, and who we are there.

    Attributes:
        server: the proxy; never without a port.
        haproxy: it speaks HAProxy's protocol, else SOCKS 5.
        four, six: addresses it is to connect from, "" where it has none of that family.
        user: name and password for SOCKS.
    """

    server: Place
    haproxy: bool
    four: str = ""
    six: str = ""
    user: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def families(self) -> tuple[socket.AddressFamily, ...]:
        """Return the families of hosts it is used for."""
        both = (socket.AF_INET, self.four), (socket.AF_INET6, self.six)
        return tuple(family for family, source in both if source or not self.haproxy)

    def source(self, address: str) -> str:
        """Return from where it connects to an address; of SOCKS only the proxy is known."""
        if not self.haproxy:
            return str(self.server)
        return self.six if ":" in address else self.four

    def opening(self, address: str, port: int) -> Opening:
        """Return what is said to it. Raises NoRouteError: it has no address for that family."""
        if not self.haproxy:
            return Socks((address, port), self.user)
        source = self.source(address)
        if not source:
            raise NoRouteError("the binding has no address of this family at its proxy")
        return Told(proxy.encode((source, 0), (address, port)))


def egress(options: Transport) -> Egress | None:
    """Return the way out; None: this machine's own."""
    server = options.ha_proxy_server
    if server is not None and not options.ha_proxy_bypass:
        sources = options.ha_proxy_src_addr, options.ha_proxy_ipv6_src_addr
        four, six = ("" if each in (None, ANY) else str(each) for each in sources)
        return Egress(server, haproxy=True, four=four, six=six)
    server = options.socks_server
    if server is not None and not options.socks_bypass:
        known = options.socks_user
        user = None if known is None else (known, options.socks_pass or "")
        return Egress(Place(server.host, server.port or SOCKS_PORT), haproxy=False, user=user)
    return None
