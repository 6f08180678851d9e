"""Stanzas put together, and the look-ups in them."""

import gc
import ipaddress
import re
import weakref

import pytest

from angarium.config.scope import BINDING, DOMAIN, ESMTP_LISTENER, PEER
from angarium.config.section import root


def test_a_stanza_opened_twice_is_one_section() -> None:
    top = root()
    assert top.child(BINDING, "b") is top.child(BINDING, "b")
    assert top.child(BINDING, "b") is not top.child(BINDING, "B")
    assert list(top.all("binding")) == ["b", "B"]


def test_a_path_is_what_the_console_writes() -> None:
    top = root()
    section = top.child(BINDING, "b").child(DOMAIN, "example.com")
    assert section.path == "binding b domain example.com"
    assert repr(top) == "<Section global>"


def test_sections_go_when_nobody_holds_the_file_itself() -> None:
    """Without a collection: each reload would leave a generation behind until the next one."""
    top = root()
    inner = weakref.ref(top.child(BINDING, "b").child(DOMAIN, "example.com"))
    gc.disable()
    try:
        del top
        assert inner() is None
    finally:
        gc.enable()


def test_a_plain_name_wins_over_patterns_which_are_tried_in_order() -> None:
    top = root()
    first, second = top.child(DOMAIN, "/[.]com$/"), top.child(DOMAIN, "/example/")
    top.add_pattern(re.compile("[.]com$"), first)
    top.add_pattern(re.compile("example"), second)
    plain = top.child(DOMAIN, "example.org")
    assert top.matching("domain", "example.com") is first
    assert top.matching("domain", "example.net") is second
    assert top.matching("domain", "example.org") is plain
    assert top.matching("domain", "other.org") is None
    assert top.matching("host", "example.com") is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1/32"),
        ("10.0.0.2", "10.0.0.0/16"),
        ("10.1.0.1", "10.0.0.0/8"),
        ("192.0.2.1", "0.0.0.0/0"),
        ("::1", "::/0"),
        ("fd82::7", "fd82::/16"),
    ],
)
def test_the_most_specific_network_counts(address: str, network: str) -> None:
    listener = root().child(ESMTP_LISTENER, "")
    for each in ("0.0.0.0/0", "10.0.0.0/16", "10.0.0.1/32", "::/0", "fd82::/16", "10.0.0.0/8"):
        listener.add_network(ipaddress.ip_network(each), listener.child(PEER, each))
    found = listener.peer(ipaddress.ip_address(address))
    assert found is not None
    assert found.instance == network


def test_without_peers_there_is_none() -> None:
    assert root().peer(ipaddress.ip_address("::1")) is None


def test_walk_goes_everywhere() -> None:
    top = root()
    top.child(BINDING, "b").child(DOMAIN, "x")
    assert [each.path for each in top.walk()] == ["", "binding b", "binding b domain x"]
