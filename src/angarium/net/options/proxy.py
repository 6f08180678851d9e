"""Options of proxies which speak HAProxy's PROXY protocol, before our listeners and before us."""

from typing import Final

from angarium.config.kinds import Bool, Duration, Secret, Text
from angarium.config.option import OURS, Options, option
from angarium.config.places import HostPort, SourceAddress
from angarium.config.scope import Scope

INTRODUCED: Final = ("control_listener", "esmtp_listener", "http_listener")
ADDRESSED = (
    Scope.CONTROL_LISTENER
    | Scope.ECSTREAM_LISTENER
    | Scope.ESMTP_LISTENER
    | Scope.HTTP_LISTENER
    | Scope.XMPP_LISTENER
    | Scope.LISTEN
    | Scope.PEER
)
WAYS = Scope.BINDING_GROUP | Scope.BINDING


class ProxyBefore(Options, direction="receiving"):
    """A proxy between clients and a listener."""

    proxy_protocol = option(
        Bool(),
        False,
        scopes=ADDRESSED,
        since="4.2.11",
        safe=(False,),
        reason="Without it every client would have the rights of the proxy's address.",
        doc="""
        Whether a connection begins with a PROXY header, version 1 or 2, which says who the client
        is. Then it has to: one without is closed. In a `peer` stanza it is asked of connections
        from there alone. Nothing proves such a header, so let only the proxy reach the listener.
        """,
        only=INTRODUCED,
    )
    proxy_protocol_timeout = option(
        Duration(),
        60.0,
        scopes=ADDRESSED,
        since="4.2.11",
        reason="Only listeners which work wait for headers.",
        doc="Wait for the whole PROXY header; 0 is no limit.",
        only=INTRODUCED,
    )


class ProxyBeyond(Options, direction="sending"):
    """A proxy between us and the hosts we send to."""

    ha_proxy_server = option(
        HostPort(),
        None,
        scopes=WAYS,
        since="4.4",
        example="192.0.2.10:2525",
        doc="""
        HAProxy, or what speaks its protocol, through which all connections of a binding go: each
        begins with a PROXY header of version 2 which names the host and the address to connect
        from. The proxy has the addresses we send from, so that they can move from machine to
        machine without us; `bind_address` does not count then. While it is away mail waits.
        """,
    )
    ha_proxy_src_addr = option(
        SourceAddress(),
        None,
        scopes=WAYS,
        since="4.4",
        example="192.0.2.25",
        doc="""
        Address of the proxy from which it is to connect to IPv4 addresses. Without it hosts have
        to have IPv6.
        """,
    )
    ha_proxy_ipv6_src_addr = option(
        SourceAddress(),
        None,
        scopes=WAYS,
        since="4.4",
        example="2001:db8::25",
        doc="""
        Address of the proxy from which it is to connect to IPv6 addresses, where use_ipv6 is set.
        """,
    )
    ha_proxy_bypass = option(
        Bool(),
        None,
        scopes=Scope.DOMAIN,
        since="4.4",
        doc="""
        Whether mail for a domain goes past ha_proxy_server, from bind_address; unset: it does not.
        """,
    )
    socks_server = option(
        HostPort(),
        None,
        scopes=WAYS,
        since=OURS,
        example="192.0.2.10:1080",
        doc="""
        Proxy of SOCKS 5 (RFC 1928) through which all connections of a binding go, from whatever
        address it chooses; port 1080 where none is given. While it is away mail waits.
        """,
    )
    socks_user = option(
        Text(),
        None,
        scopes=WAYS,
        since=OURS,
        example="mail",
        doc="Our name at that proxy, where it asks for one (RFC 1929).",
    )
    socks_pass = option(
        Secret(),
        None,
        scopes=WAYS,
        since=OURS,
        example="secret",
        doc="Our password there. It goes to the proxy in clear, as RFC 1929 has it.",
    )
    socks_bypass = option(
        Bool(),
        None,
        scopes=Scope.DOMAIN,
        since=OURS,
        doc="Whether mail for a domain goes past socks_server; unset: it does not.",
    )
