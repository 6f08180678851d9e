"""Builds the resolver of a worker from options and files, and keeps it as they are.

The only place which knows the options of DNS: what they build knows plain values.
"""

import asyncio
import random
from typing import Final

from angarium.core.clock import Clock
from angarium.core.units import Rate
from angarium.net.dns import DEFAULT_LIMITS, Limits, Stub
from angarium.net.dnscache import Keeping, Resolver
from angarium.net.dnsrate import Pacer, Take, unlimited
from angarium.net.dnssocket import Network, Sockets
from angarium.net.options.resolver import Resolver as Options
from angarium.net.resolvconf import PORT, Hosts, ResolvConf, Server, WatchedFile, parse, server

# Seconds between two looks at resolv.conf and hosts: DHCP and VPN clients rewrite them.
WATCH_INTERVAL: Final = 5.0


class Naming:
    """`resolver`, for all who ask names; `stub` below it, for its counters.

    `tick` is called about once a second, `apply` when a new generation of the configuration
    holds.

    Args:
        take: counts questions at a rate, for all workers.
    """

    def __init__(
        self,
        options: Options,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        random: random.Random,
        network: Network | None = None,
        take: Take = unlimited,
    ) -> None:
        self._sockets = Sockets(loop)
        self._options = options
        self._conf = ResolvConf(())
        self._resolv_conf = WatchedFile("")
        self._hosts = WatchedFile("")
        self._watch_at = 0.0
        self.stub = Stub((), network or self._sockets, loop, clock, random)
        self.resolver = Resolver(self.stub, loop, clock)
        self.resolver.pacer = Pacer(loop, take)
        self.apply(options)

    def apply(self, options: Options) -> None:
        """Take other options; what is cached stays, with the time it was given."""
        self._options = options
        self._resolv_conf = WatchedFile(options.resolv_conf)
        self._hosts = WatchedFile(options.hosts_file)
        self._look()
        self._take()

    def tick(self, now: float) -> None:
        self.resolver.tick(now)
        if now >= self._watch_at:
            self._watch_at = now + WATCH_INTERVAL
            if self._look():
                self._take()

    def close(self) -> None:
        self.resolver.pacer.close()
        self.stub.close()

    def _look(self) -> bool:
        """Read what has changed; return whether name servers or their options have."""
        hosts = self._hosts.changed()
        if hosts is not None:
            self.resolver.hosts = Hosts(hosts)
        if self._options.dns_servers:
            # Then the file is not read at all: a test, or an operator, means just these.
            conf = ResolvConf(_servers(self._options))
        else:
            text = self._resolv_conf.changed()
            if text is None:
                return False
            conf = parse(text)
        before, self._conf = self._conf, conf
        return conf != before

    def _take(self) -> None:
        options, conf = self._options, self._conf
        # A port is not used for long, so they hold for all of them soon.
        self._sockets.receive_buffer = options.dns_udp_rcvbuf_size
        self._sockets.send_buffer = options.dns_udp_sndbuf_size
        limited = options.dns_rate_limit_enabled
        self.resolver.pacer.use(
            _rate(options) if limited else None, options.dns_rate_limit_max_queue
        )
        self.stub.set_servers(conf.servers)
        self.stub.limits = Limits(
            timeout=conf.timeout or options.dns_timeout,
            # Each server once: a question asked again would be one more than the rate allows.
            attempts=1 if limited else conf.attempts or options.dns_attempts,
            deadline=DEFAULT_LIMITS.deadline,
            in_flight=options.dns_max_in_flight,
            per_port=options.dns_max_udp_queries_per_port,
            tcp=options.dns_fallback_to_tcp,
        )
        self.resolver.keeping = Keeping(
            entries=options.dns_cache_size,
            aliases=options.max_cname_depth,
            min_ttl=float(options.min_dns_ttl),
            max_ttl=float(options.max_dns_ttl),
            negative_ttl=options.dns_negative_ttl,
            purge_interval=options.dns_cache_purge_interval,
            hosts_first=conf.hosts_first,
        )


def _rate(options: Options) -> Rate:
    """Return the rate of the limit; a period need not be whole seconds."""
    return Rate(
        1000 * options.dns_rate_limit_mx_queries, round(1000 * options.dns_rate_limit_period)
    )


def _servers(options: Options) -> tuple[Server, ...]:
    named = options.dns_servers
    read = (server(f"[{place.host}]:{place.port or PORT}") for place in named)
    return tuple(each for each in read if each)
