"""Connections by address."""

from types import SimpleNamespace

from angarium.console.questions.peers import inward, outward


def outlet(binding: str, *addresses: str) -> SimpleNamespace:
    hops = [SimpleNamespace(hop=SimpleNamespace(address=each)) for each in addresses]
    return SimpleNamespace(line=SimpleNamespace(binding=binding), connections=hops)


def test_connections_to_hosts_are_counted_of_all_bindings_or_one() -> None:
    outlets = [outlet("a", "192.0.2.1", "192.0.2.1"), outlet("b", "192.0.2.1", "192.0.2.2")]
    part = SimpleNamespace(pool=SimpleNamespace(outlets=outlets))
    assert outward.function(part).values == {"192.0.2.1": 3, "192.0.2.2": 1}
    assert outward.function(part, "b").values == {"192.0.2.1": 1, "192.0.2.2": 1}


def test_clients_are_counted() -> None:
    sessions = [SimpleNamespace(origin=SimpleNamespace(address="::1")) for _ in range(2)]
    part = SimpleNamespace(services=SimpleNamespace(sessions=sessions))
    assert inward.function(part).values == {"::1": 2}
