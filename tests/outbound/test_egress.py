"""Which way connections of a binding leave, and what the proxy is told."""

import socket

import pytest

from angarium.config.kinds import Place
from angarium.net.errors import NoRouteError
from angarium.outbound.egress import egress
from angarium.outbound.options import Transport
from angarium.outbound.route import families_of, source_for
from angarium.wire.proxy import parse

FOUR, SIX = socket.AF_INET, socket.AF_INET6
SERVER = Place("192.0.2.10", 2525)


def test_without_a_proxy_connections_leave_by_themselves() -> None:
    assert egress(Transport.make(bind_address="192.0.2.1")) is None


def test_haproxy_is_told_from_which_address_of_its_own_to_connect() -> None:
    options = Transport.make(
        bind_address="192.0.2.1", ha_proxy_server=SERVER, ha_proxy_src_addr="198.51.100.25"
    )
    way = egress(options)
    assert way is not None
    assert way.server == SERVER
    header = parse(way.opening("203.0.113.9", 25).data_to_send())
    assert header is not None
    assert header.source == ("198.51.100.25", 0)
    assert header.destination == ("203.0.113.9", 25)
    assert source_for("203.0.113.9", options) == "198.51.100.25"
    with pytest.raises(NoRouteError):
        way.opening("2001:db8::9", 25)


@pytest.mark.parametrize(
    ("four", "six", "wanted"),
    [
        ("198.51.100.25", None, [FOUR]),
        (None, "2001:db8::25", [SIX]),
        ("198.51.100.25", "2001:db8::25", [FOUR, SIX]),
    ],
)
def test_haproxy_is_used_for_the_families_it_has_an_address_of(
    four: str | None, six: str | None, wanted: list[int]
) -> None:
    options = Transport.make(
        use_ipv6=True, ha_proxy_server=SERVER, ha_proxy_src_addr=four, ha_proxy_ipv6_src_addr=six
    )
    assert list(families_of(options)) == wanted


def test_socks_is_used_for_both_families_and_has_a_port() -> None:
    options = Transport.make(
        use_ipv6=True, socks_server=Place("proxy.example"), socks_user="me", socks_pass="secret"
    )
    way = egress(options)
    assert way is not None
    assert way.server == Place("proxy.example", 1080)
    assert "secret" not in repr(way)
    assert list(families_of(options)) == [FOUR, SIX]
    assert source_for("203.0.113.9", options) == "proxy.example:1080"
    opening = way.opening("203.0.113.9", 25)
    assert opening.data_to_send() == b"\5\2\0\2"
    opening.receive(b"\5\2")
    assert opening.data_to_send() == b"\1\2me\6secret"


def test_a_domain_may_go_past_it() -> None:
    for options in (
        Transport.make(ha_proxy_server=SERVER, ha_proxy_src_addr="::1", ha_proxy_bypass=True),
        Transport.make(socks_server=SERVER, socks_bypass=True),
    ):
        assert egress(options) is None
    assert families_of(options) == (FOUR,)
