"""The proxies of all bindings of a worker, as a configuration has them and has them looked at."""

from collections.abc import Callable

from angarium.config.kinds import Place
from angarium.config.resolve import Configuration
from angarium.modules.route.options.routes import HaProxyClient
from angarium.net.sweep import Sweep
from angarium.outbound.options import Transport
from angarium.outbound.proxies import Health, Proxies, Resolver


class Proxying:
    """`proxies` is for the dialer."""

    def __init__(
        self,
        configuration: Configuration,
        resolver: Resolver,
        sweep: Sweep,
        alarm: Callable[[str], None],
    ) -> None:
        self.proxies = Proxies(resolver, sweep, alarm)
        self.use(configuration)

    def use(self, configuration: Configuration) -> None:
        """Go over to a generation."""
        self.proxies.configure(servers(configuration), health(configuration))


def servers(configuration: Configuration) -> list[Place]:
    """Return every ha_proxy_server there is."""
    found = (
        configuration.at(Transport, group=group, binding=binding).ha_proxy_server
        for group, binding in configuration.bindings()
    )
    return [each for each in dict.fromkeys(found) if each is not None]


def health(configuration: Configuration) -> Health | None:
    """Return how they are looked at; None: they are not."""
    if not configuration.has(HaProxyClient.stanza):
        return None
    options = configuration.top(HaProxyClient)
    if not options.enabled:
        return None
    usual = Health()
    return Health(
        options.health_check_interval or usual.interval,
        options.health_check_timeout or usual.timeout,
        options.health_check_failure_threshold or usual.failures,
        options.health_check_success_threshold or usual.successes,
    )
