"""Who may relay."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.inbound.access import Domains, Relay


@pytest.mark.parametrize(
    ("patterns", "domain", "matches"),
    [
        (["example.com"], "example.com", True),
        (["example.com"], "a.example.com", False),
        (["*.example.com"], "example.com", False),
        (["*.example.com"], "test.example.com", True),
        (["*.example.com"], "a.b.example.com", True),
        (["*.example.com"], "badexample.com", False),
        (["*example.com"], "badexample.com", True),
        (["*example.com"], "example.com", True),
        (["*"], "anything", True),
        ([], "example.com", False),
    ],
)
def test_domains_and_left_globs(patterns: list[str], domain: str, matches: bool) -> None:
    assert (domain in Domains(patterns)) is matches


NAME = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(".".join)
PATTERN = st.tuples(st.sampled_from(["", "*.", "*"]), NAME).map("".join)


@given(st.lists(PATTERN), NAME)
def test_globs_are_suffixes(patterns: list[str], domain: str) -> None:
    expected = any(
        domain.endswith(each[1:]) if each.startswith("*") else domain == each for each in patterns
    )
    assert (domain in Domains(patterns)) is expected


def relay(
    hosts: tuple[str, ...] = (), senders: list[str] | None = None, *, everyone: bool = False
) -> Relay:
    return Relay(["mx.example"], [ip_network(each) for each in hosts], senders, everyone=everyone)


def test_mail_for_our_domains_is_taken_from_anybody_and_no_other() -> None:
    rules = relay()
    assert rules.accepts("mx.example")
    assert not rules.accepts("other.example")
    assert not rules.trusts_client("127.0.0.1")
    assert not rules.trusts_sender("mx.example")


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("192.0.2.77", True),
        ("192.0.3.1", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("::ffff:192.0.2.77", True),
    ],
)
def test_relay_hosts_may_send_to_any_domain(address: str, trusted: bool) -> None:
    assert relay(("192.0.2.0/24", "2001:db8::/32")).trusts_client(address) is trusted


def test_an_open_relay_trusts_every_client() -> None:
    assert relay(everyone=True).trusts_client("203.0.113.1")


def test_sending_domains_may_relay_and_an_empty_list_is_an_open_relay() -> None:
    rules = relay(senders=["*.sender.example"])
    assert rules.trusts_sender("a.sender.example")
    assert not rules.trusts_sender("sender.example")
    assert not rules.trusts_client("203.0.113.1")
    assert relay(senders=[]).trusts_client("203.0.113.1")
