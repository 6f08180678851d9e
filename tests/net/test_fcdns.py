import pytest

from angarium.net.answer import Status
from angarium.net.fcdns import MOST_NAMES, names_of
from helpers.dns import FakeDns

ZONE = """
1.2.0.192.in-addr.arpa  PTR  mail.a.example
1.2.0.192.in-addr.arpa  PTR  a.example
1.2.0.192.in-addr.arpa  PTR  liar.example
mail.a.example          A    192.0.2.1
a.example               A    192.0.2.1
liar.example            A    198.51.100.1
2.2.0.192.in-addr.arpa  PTR  liar.example
3.2.0.192.in-addr.arpa  PTR  dead.example
dead.example            SERVFAIL
4.2.0.192.in-addr.arpa  TIMEOUT
5.2.0.192.in-addr.arpa  TXT  no names
"""


async def test_names_which_lead_back_are_validated() -> None:
    found = await names_of(FakeDns(ZONE), "192.0.2.1")
    assert found.names == ("mail.a.example", "a.example", "liar.example")
    assert found.validated == ("mail.a.example", "a.example")
    assert (found.reverse, found.forward) == (None, None)


@pytest.mark.parametrize(
    ("domain", "name"),
    [("A.example", "a.example"), ("example", "mail.a.example"), ("b.example", "mail.a.example")],
)
async def test_the_domain_itself_is_told_before_a_name_below_it(domain: str, name: str) -> None:
    assert (await names_of(FakeDns(ZONE), "::ffff:192.0.2.1")).best(domain) == name


@pytest.mark.parametrize(
    ("address", "reverse", "forward"),
    [
        ("192.0.2.2", None, None),
        ("192.0.2.3", None, Status.SERVFAIL),
        ("192.0.2.4", Status.TIMEOUT, None),
        ("192.0.2.5", None, None),
        ("192.0.2.99", Status.NXDOMAIN, None),
        ("what", Status.NXDOMAIN, None),
    ],
)
async def test_what_went_wrong_is_told(
    address: str, reverse: Status | None, forward: Status | None
) -> None:
    found = await names_of(FakeDns(ZONE), address)
    assert (found.validated, found.reverse, found.forward) == ((), reverse, forward)
    assert found.best("a.example") == ""


async def test_addresses_of_ipv6_have_names_too() -> None:
    reverse = ".".join(reversed("20010db8" + "0" * 23 + "1")) + ".ip6.arpa"
    zone = f"{reverse} PTR six.example\nsix.example AAAA 2001:db8::1"
    assert (await names_of(FakeDns(zone), "2001:db8::1")).validated == ("six.example",)


async def test_only_so_many_names_are_tried() -> None:
    zone = "".join(f"1.2.0.192.in-addr.arpa PTR n{n}.example\n" for n in range(30))
    resolver = FakeDns(zone)
    await names_of(resolver, "192.0.2.1")
    assert len(resolver.asked) == 1 + MOST_NAMES
