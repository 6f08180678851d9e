"""Next hops as transport(5) has them."""

import pytest

from angarium.config.foreign.draft import Draft
from angarium.config.foreign.hop import Hop
from angarium.config.foreign.postfix_files import Parameter
from angarium.config.foreign.postfix_routes import hops, send_directly

FROM = Parameter("relayhost", "x", "main.cf:1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.com", [Hop("example.com", "", exact=False)]),
        ("[mx.example.com]:submission", [Hop("mx.example.com", "587", exact=True)]),
        ("inet:example.com:26", [Hop("example.com", "26", exact=False)]),
        ("[IPv6:2001:db8::1]", [Hop("2001:db8::1", "", exact=True)]),
        ("[a], [b]:26", [Hop("a", "", exact=True), Hop("b", "26", exact=True)]),
        ("unix:/run/lmtp", []),
        ("[a], unix:/run/lmtp", []),
        ("", []),
    ],
)
def test_a_next_hop_is_a_host_or_a_domain(text: str, expected: list[Hop]) -> None:
    assert hops(text) == expected


def test_lmtp_has_a_port_and_asks_for_no_mx() -> None:
    assert hops("mda", lmtp=True) == [Hop("mda", "24", exact=True)]


def test_a_domain_goes_by_its_own_mx_only_where_others_do_not() -> None:
    place = (("domain", "a.example"),)
    draft = Draft("x")
    send_directly(draft, "a.example", FROM, place)
    assert draft.value("routes", place) is None
    draft.set("routes", ("relay.example",), "x:1", "x")
    send_directly(draft, "a.example", FROM, place)
    assert draft.value("routes", place) == ("__mx__",)
