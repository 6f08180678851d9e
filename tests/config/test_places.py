"""Hosts, addresses and networks as the file has them."""

import ipaddress
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.kinds import Kind, Place, Raw
from angarium.config.places import Address, Cidr, DomainGlob, Hostname, HostPort, SourceAddress

KINDS: list[Kind[object]] = [
    Address(),
    Cidr(),
    DomainGlob(),
    Hostname(),
    HostPort(),
    SourceAddress(),
]


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Cidr(), "10.1.2.3/8", ipaddress.ip_network("10.0.0.0/8")),
        (Cidr(), "::1", ipaddress.ip_network("::1/128")),
        (Address(), "[2001:DB8::1]", "2001:db8::1"),
        (SourceAddress(), "*", "*"),
        (SourceAddress(), "[2001:DB8::1]", "2001:db8::1"),
        (HostPort(), "mx.example.com", Place("mx.example.com")),
        (HostPort(), "mx.example.com:2525", Place("mx.example.com", 2525)),
        (HostPort(), "[2001:db8::1]:25", Place("2001:db8::1", 25)),
        (HostPort(), "[2001:db8::1]", Place("2001:db8::1")),
        (HostPort(bound=True), ":25", Place("", 25)),
        (HostPort(bound=True), "*:25", Place("*", 25)),
        (DomainGlob(), "*.Example.COM", "*.example.com"),
        (DomainGlob(), "*", "*"),
        (Hostname(), "mx_1.example.com", "mx_1.example.com"),
        (Hostname(), "[192.0.2.1]", "[192.0.2.1]"),
        (Hostname(("__hostname__",)), "__hostname__", "__hostname__"),
    ],
)
def test_a_place_is_read(kind: Kind[object], raw: Raw, value: object) -> None:
    assert kind.parse(raw) == value


@pytest.mark.parametrize(
    ("kind", "raw", "words"),
    [
        (Cidr(), "10.0.0.0/33", "no address or network"),
        (Cidr(), "localhost", "no address or network"),
        (Address(), "*", "no address"),
        (SourceAddress(), "eth0", "no address"),
        (HostPort(), ":25", "no host"),
        (HostPort(), "a:b:25", "no host"),
        (HostPort(), "a:99999", "no host"),
        (HostPort(), "http://a", "no host"),
        (DomainGlob(), "a*.example.com", "only stand at its beginning"),
        (DomainGlob(), "user@example.com", "no domain"),
        (Hostname(), "two words", "no host name"),
        (Hostname(), "a..b", "no host name"),
    ],
)
def test_what_is_no_place_is_refused(kind: Kind[object], raw: Raw, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        kind.parse(raw)


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: type(each).__name__)
@given(raw=st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=2).map(tuple))
def test_a_kind_gives_a_value_or_a_value_error(kind: Kind[object], raw: Raw) -> None:
    try:
        kind.parse(raw)
    except ValueError:
        return
    assert str(kind)
    assert json.dumps(kind.schema())


@given(st.ip_addresses(), st.integers(0, 65535))
def test_a_printed_place_is_read_back(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    place = Place(str(address), port)
    assert HostPort().parse(str(place)) == place
