"""This server as seen by its own parts: its name, its addresses, the domains it relays for."""

import socket

from angarium.config.resolve import Configuration
from angarium.inbound.access import Domains
from angarium.inbound.options import Conformance
from angarium.inbound.profile import LISTENER
from angarium.net.address import is_local
from angarium.queue.options import Identity, Shape
from angarium.run.options import Node

ANY = frozenset({"0.0.0.0", "::"})


class Host:
    """What a generation of the configuration says of us.

    Attributes:
        name: of banner and EHLO.
        external: of what we write into mail.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.use(configuration)

    def use(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.name = configuration.top(Node).hostname or socket.getfqdn()
        self.external = configuration.top(Identity).external_hostname or self.name
        where = configuration.listens(LISTENER)
        self._addresses = {(each.host, each.port) for each in where if not each.path}
        self._everywhere = {port for host, port in self._addresses if host in ANY}
        self._default = configuration.bindings()[0]
        options = configuration.top(Conformance)
        self._relayed = Domains((*options.relay_domains, *options.bounce_domains))

    def is_itself(self, name: str, address: str, port: int) -> bool:
        """Say whether a mail host is this server: then mail sent there comes back."""
        if (address, port) in self._addresses:
            return True
        return port in self._everywhere and is_local(address)

    def relays(self, domain: str) -> bool:
        """Say whether a domain is in the global relay_domains or bounce_domains."""
        return domain in self._relayed

    def blackholed(self, domain: str) -> bool:
        """Say whether mail for a domain is refused at RCPT."""
        group, binding = self._default
        shape = self._configuration.at(Shape, group=group, binding=binding, domain=domain)
        return shape.blackhole == "inline"
