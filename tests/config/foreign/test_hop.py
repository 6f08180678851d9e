"""Next hops become gateways or routes."""

from angarium.config.foreign.draft import GLOBAL, Draft
from angarium.config.foreign.hop import Hop, send_to

HOST = Hop("host.example", "", exact=True)
OTHER = Hop("other.example", "26", exact=True)
DOMAIN = Hop("relay.example", "", exact=False)
PLACE = (("domain", "a.example"),)


def test_hops_are_written() -> None:
    address = Hop("2001:db8::1", "26", exact=True)
    assert (address.gateway, address.is_address) == ("[2001:db8::1]:26", True)
    assert address.route == "smtp://[2001:db8::1]?type=a&port=26"
    assert DOMAIN.route == "smtp://relay.example?type=mx"


def test_a_host_has_routes_a_domain_a_gateway() -> None:
    draft = Draft("x")
    send_to(draft, [HOST, OTHER], "x:1", "x", PLACE)
    assert draft.value("routes", PLACE) == (HOST.route, OTHER.route)
    send_to(draft, [DOMAIN], "x:1", "x", GLOBAL)
    assert draft.value("gateway") == "relay.example"


def test_routes_are_not_written_where_a_gateway_would_win() -> None:
    draft = Draft("x")
    send_to(draft, [DOMAIN], "x:1", "x", GLOBAL)
    send_to(draft, [HOST], "x:1", "x", PLACE)
    assert draft.value("gateway", PLACE) == "host.example"
    send_to(draft, [HOST, OTHER], "x:1", "x", PLACE)
    assert "wins" in draft.left[-1].why


def test_routes_are_not_written_into_bindings() -> None:
    draft = Draft("x")
    send_to(draft, [HOST], "x:1", "x", (("binding", "b"),))
    assert "domains only" in draft.left[0].why
