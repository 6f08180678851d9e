from ipaddress import ip_network

from angarium.modules.guard.peers import Domains, Exempt
from helpers.guards import session


def test_who_may_relay_and_who_is_named_is_left_alone() -> None:
    exempt = Exempt([ip_network("192.0.2.0/25"), ip_network("2001:db8::/32")])
    assert exempt.has(session("192.0.2.1"))
    assert exempt.has(session("2001:db8::7"))
    assert not exempt.has(session("192.0.2.200"))
    trusted = session("192.0.2.200")
    trusted.variables["can_relay"] = "true"
    assert exempt.has(trusted)
    assert not Exempt([]).has(session("127.0.0.1"))


def test_domains_are_named_whole_or_by_what_is_above_them() -> None:
    domains = Domains(["a.test", "*.b.test"])
    assert [domains.has(each) for each in ("a.test", "x.a.test", "b.test", "x.b.test")] == [
        True, False, False, True,
    ]  # fmt: skip
    assert Domains(["*"]).has("any.test")
    assert not Domains([])
    assert not Domains([]).has("a.test")
