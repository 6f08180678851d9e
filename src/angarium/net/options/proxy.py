"""Options of proxies which speak HAProxy's PROXY protocol, before our listeners and before us."""

from typing import Final

from angarium.config.kinds import Bool, Duration
from angarium.config.option import Options, option, planned
from angarium.config.places import HostPort, SourceAddress
from angarium.config.scope import Scope

NO_PROXY = "Connections come and go without PROXY headers yet."

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
FROM_ELSEWHERE = "Leaving the proxy out would send from addresses which are not meant for it."


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

    ha_proxy_server = planned(
        HostPort(),
        None,
        scopes=Scope.BINDING_GROUP | Scope.BINDING,
        since="4.4",
        safe=(),
        reason=FROM_ELSEWHERE,
        example="192.0.2.10:2525",
        doc="""
        Proxy through which all connections of a binding go. It has the addresses we send from, so
        that they can move from machine to machine without us.
        """,
    )
    ha_proxy_src_addr = planned(
        SourceAddress(),
        None,
        scopes=Scope.BINDING_GROUP | Scope.BINDING,
        since="4.4",
        example="192.0.2.25",
        reason=NO_PROXY,
        doc="Address of the proxy from which it is to connect to IPv4 addresses.",
    )
    ha_proxy_ipv6_src_addr = planned(
        SourceAddress(),
        None,
        scopes=Scope.BINDING_GROUP | Scope.BINDING,
        since="4.4",
        example="2001:db8::25",
        reason=NO_PROXY,
        doc="Address of the proxy from which it is to connect to IPv6 addresses.",
    )
    ha_proxy_bypass = planned(
        Bool(),
        None,
        scopes=Scope.DOMAIN,
        since="4.4",
        reason=NO_PROXY,
        doc="Whether mail for a domain goes past the proxy; unset: it does not.",
    )
