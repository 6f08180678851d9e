"""From a domain to hosts, on a zone written as text."""

import asyncio
import ipaddress
import socket
from random import Random
from typing import Any

import pytest

from angarium.config.kinds import Place
from angarium.net.answer import MxAnswer, Status
from angarium.outbound.errors import DeliveryError
from angarium.outbound.options import Transport
from angarium.outbound.route import Hop, Router, families_of, source_for
from helpers.dns import FakeDns

ZONE = """
    two.test       MX   20 second.test
    two.test       MX   10 first.test
    first.test     A    192.0.2.1
    second.test    A    192.0.2.2
    second.test    AAAA 2001:db8::2
    equal.test     MX   10 first.test
    equal.test     MX   10 second.test
    bare.test      A    192.0.2.3
    null.test      MX   0 .
    mixed.test     MX   0 .
    mixed.test     MX   10 first.test
    lost.test      MX   10 nowhere.test
    dead.test      SERVFAIL
    away.test      TIMEOUT
    halfdead.test  MX   10 dead.test
    halfdead.test  MX   20 first.test
    empty.test     NODATA
    alias.test     CNAME two.test
    zero.test      A    0.0.0.0
    loop.test      A    127.0.0.1
    six.test       AAAA 2001:db8::6
"""


def find(
    domain: str, zone: str = ZONE, us: tuple[str, ...] = (), seed: int = 1, **options: Any
) -> list[Hop]:
    router = Router(
        FakeDns(zone),
        Random(seed),
        itself=lambda host, address, port: address in us,
        relayed=lambda name: name == "two.test",
    )
    options = {"only_use_best_mx_for_relay_domains": False} | options
    return asyncio.run(router.route(domain, Transport.make(**options)))


def hosts(domain: str, **options: Any) -> list[str]:
    return [f"{hop.host} {hop.endpoint}" for hop in find(domain, **options)]


def failure(domain: str, **options: Any) -> str:
    with pytest.raises(DeliveryError) as caught:
        find(domain, **options)
    return str(caught.value.reply)


def test_hosts_come_by_preference() -> None:
    assert hosts("two.test") == ["first.test 192.0.2.1:25", "second.test 192.0.2.2:25"]


def test_hosts_of_equal_preference_come_in_random_order() -> None:
    orders = {tuple(hosts("equal.test", seed=seed)) for seed in range(8)}
    assert len(orders) == 2


def test_an_alias_leads_to_its_hosts() -> None:
    assert hosts("alias.test")[0] == "first.test 192.0.2.1:25"


@pytest.mark.effect("remote_smtp_port")
def test_without_mx_the_domain_is_its_own_host() -> None:
    assert hosts("bare.test", remote_smtp_port=2525) == ["bare.test 192.0.2.3:2525"]


def test_a_null_mx_takes_no_mail() -> None:
    assert failure("null.test") == "550 5.4.4 [internal] NULL MX domain does not accept mail"
    assert hosts("mixed.test") == ["first.test 192.0.2.1:25"]


@pytest.mark.parametrize(
    ("domain", "reply"),
    [
        ("no-such.test", "554 5.4.4 [internal] Domain Lookup Failed"),
        ("empty.test", "454 4.4.4 [internal] no MX or A for domain"),
        ("dead.test", "454 4.4.4 [internal] no MX or A for domain"),
        ("away.test", "454 4.4.4 [internal] no MX or A for domain"),
        ("lost.test", "451 4.4.1 [internal] No valid hosts"),
        ("zero.test", "451 4.4.1 [internal] No valid hosts"),
    ],
)
def test_no_hosts(domain: str, reply: str) -> None:
    assert failure(domain) == reply


@pytest.mark.effect("dns_failures_to_purge")
def test_a_domain_whose_name_servers_fail_too_often_fails() -> None:
    options = {"mx_failures_fallback_to_a": 99, "dns_failures_to_purge": 1}
    assert failure("dead.test", **options) == "554 5.4.4 [internal] Domain Lookup Failed"


def test_while_our_resolver_is_away_nothing_fails() -> None:
    assert failure("away.test", dns_failures_to_purge=1).startswith("454")


def test_a_host_which_cannot_be_looked_up_leaves_the_others() -> None:
    assert hosts("halfdead.test") == ["first.test 192.0.2.1:25"]


@pytest.mark.effect("use_ipv6", "prefer_ipv6_mxs")
def test_ipv6_is_used_when_asked_for() -> None:
    assert hosts("six.test", use_ipv6=True) == ["six.test [2001:db8::6]:25"]
    assert failure("six.test") == "454 4.4.4 [internal] no MX or A for domain"
    endpoints = [hop.address for hop in find("two.test", use_ipv6=True, prefer_ipv6_mxs=True)]
    assert endpoints == ["192.0.2.1", "2001:db8::2", "192.0.2.2"]


@pytest.mark.effect("only_use_best_mx_for_relay_domains")
def test_the_best_hosts_only_for_what_we_relay() -> None:
    options = {"only_use_best_mx_for_relay_domains": True}
    assert hosts("two.test", **options) == ["first.test 192.0.2.1:25"]
    assert len(hosts("equal.test", **options)) == 2


def test_we_and_what_is_not_better_than_us_is_left_out() -> None:
    assert hosts("two.test", us=("192.0.2.2",)) == ["first.test 192.0.2.1:25"]


def test_mail_for_which_we_are_the_best_host_is_a_loop() -> None:
    reply = "554 5.4.6 [internal] mail for this domain loops back to this host"
    assert failure("two.test", us=("192.0.2.1",)) == reply
    assert failure("bare.test", us=("192.0.2.3",)) == reply


@pytest.mark.effect("prohibited_hosts", "skip_hosts")
def test_a_prohibited_address_fails_the_mail_and_a_skipped_one_does_not() -> None:
    networks = (ipaddress.ip_network("192.0.2.2/32"), ipaddress.ip_network("127.0.0.0/8"))
    reply = "551 5.4.6 [internal] Private/Loopback Address"
    assert failure("two.test", prohibited_hosts=networks) == reply
    assert failure("loop.test", prohibited_hosts=networks) == reply
    mapped = "mapped.test AAAA ::ffff:127.0.0.1"
    assert failure("mapped.test", zone=mapped, use_ipv6=True, prohibited_hosts=networks) == reply
    assert hosts("two.test", skip_hosts=networks) == ["first.test 192.0.2.1:25"]
    assert failure("loop.test", skip_hosts=networks) == "451 4.4.1 [internal] No valid hosts"


@pytest.mark.effect("max_mx_hosts")
def test_the_number_of_hosts_is_bounded() -> None:
    assert hosts("two.test", max_mx_hosts=1) == ["first.test 192.0.2.1:25"]
    many = "\n".join(f"big.test A 192.0.2.{n}" for n in range(1, 200))
    assert len(hosts("big.test", zone=many)) == 8


@pytest.mark.parametrize("domain", ["[192.0.2.9]", "192.0.2.9"])
def test_an_address_literal_is_a_host(domain: str) -> None:
    assert [hop.address for hop in find(domain)] == ["192.0.2.9"]


def test_an_ipv6_literal_needs_ipv6() -> None:
    literal = "[ipv6:2001:db8::9]"
    assert [hop.address for hop in find(literal, use_ipv6=True)] == ["2001:db8::9"]
    assert failure(literal) == "451 4.4.1 [internal] No valid hosts"
    assert failure("[ipv6:::::]") == "554 No Valid Domain"


@pytest.mark.effect("gateway")
def test_a_gateway_stands_for_every_domain() -> None:
    assert hosts("no-such.test", gateway=Place("two.test", 0))[0] == "first.test 192.0.2.1:25"
    assert hosts("x.test", gateway=Place("bare.test", 26)) == ["bare.test 192.0.2.3:26"]
    assert hosts("x.test", gateway=Place("192.0.2.7", 0)) == ["192.0.2.7 192.0.2.7:25"]


@pytest.mark.effect("routes")
def test_routes_in_their_order_with_what_dns_says_among_them() -> None:
    routes = ("smtp://bare.test?port=26", "__mx__")
    assert hosts("two.test", routes=routes) == [
        "bare.test 192.0.2.3:26",
        "first.test 192.0.2.1:25",
        "second.test 192.0.2.2:25",
    ]
    assert hosts("no-such.test", routes=routes) == ["bare.test 192.0.2.3:26"]
    assert hosts("null.test", routes=routes) == ["bare.test 192.0.2.3:26"]
    assert hosts(
        "x.test", routes=("smtp://two.test?type=mx&pref=5", "smtp://bare.test?pref=1")
    ) == [
        "bare.test 192.0.2.3:25",
        "first.test 192.0.2.1:25",
        "second.test 192.0.2.2:25",
    ]
    assert failure("x.test", routes=("bare.test",), us=("192.0.2.3",)).startswith("451 4.4.6")


def test_a_binding_sends_by_the_families_it_has_addresses_of() -> None:
    def families(**options: Any) -> list[int]:
        return [int(each) for each in families_of(Transport.make(**options))]

    four, six = int(socket.AF_INET), int(socket.AF_INET6)
    assert families() == [four]
    assert families(use_ipv6=True) == [four, six]
    assert families(use_ipv6=True, bind_address="192.0.2.1") == [four]
    assert families(use_ipv6=True, bind_address="2001:db8::1") == [six]
    both = {"bind_address": "192.0.2.1", "bind_address_secondary": "2001:db8::1"}
    assert families(use_ipv6=True, **both) == [four, six]
    assert source_for("192.0.2.9", Transport.make(**both)) == "192.0.2.1"
    assert source_for("2001:db8::9", Transport.make(**both)) == "2001:db8::1"
    assert source_for("192.0.2.9", Transport.make()) == ""


class HalfDead(FakeDns):
    """Its name servers fail for MX only, so many times one after the other."""

    failures = 1

    async def mx(self, domain: str) -> MxAnswer:
        return MxAnswer(Status.SERVFAIL, (), 0.0, name=domain, failures=self.failures)


@pytest.mark.effect("mx_failures_fallback_to_a")
@pytest.mark.parametrize(
    ("failures", "most", "found"), [(1, 3, False), (3, 3, True), (1, -1, True), (3, 9, False)]
)
def test_when_mx_cannot_be_had_the_domain_is_its_own_host(
    failures: int, most: int, found: bool
) -> None:
    dns = HalfDead(ZONE)
    dns.failures = failures
    router = Router(dns, Random(1))
    options = Transport.make(mx_failures_fallback_to_a=most)
    if found:
        assert [hop.address for hop in asyncio.run(router.route("bare.test", options))] == [
            "192.0.2.3"
        ]
    else:
        with pytest.raises(DeliveryError, match="no MX or A"):
            asyncio.run(router.route("bare.test", options))


def test_a_route_without_a_port_has_the_one_of_its_protocol() -> None:
    routes = ("192.0.2.9",)
    assert hosts("two.test", routes=routes) == ["192.0.2.9 192.0.2.9:25"]
    by_lmtp = hosts("two.test", routes=routes, delivery_method="LMTP")
    assert by_lmtp == ["192.0.2.9 192.0.2.9:2003"]
