"""What a PowerMTA becomes; the configurations are ours."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.foreign import powermta, powermta_names
from angarium.config.foreign.draft import Draft
from angarium.config.load import load_text
from angarium.config.resolve import Configuration
from angarium.inbound.options import Reception
from angarium.outbound.options import Transport
from angarium.queue.options import Rollup, Shape

CORPORA = os.environ.get("ANGARIUM_CORPORA", "")


def brought(text: str, **files: str) -> tuple[Draft, Configuration]:
    """Return the draft and what it means."""
    known = {"config": text, **files}
    draft = powermta.read("config", known.get)
    return draft, load_text(draft.text())


def test_domains_have_their_limits_and_the_star_is_the_file() -> None:
    _, conf = brought(
        "<domain *>\n retry-after 10m\n bounce-after 4d12h # days\n</domain>\n"
        "<domain Example.com>\n max-smtp-out 20\n max-msg-per-connection 100\n"
        " max-msg-rate 10000/h\n</domain>\n"
    )
    assert (conf.at(Shape).retry_interval, conf.at(Shape).max_retry_interval) == (600.0, 600.0)
    assert conf.at(Shape).message_expiration == 388800.0
    shape = conf.at(Shape, domain="example.com")
    assert (shape.max_outbound_connections, shape.max_deliveries_per_connection) == (20, 100)
    assert str(shape.outbound_throttle_messages) == "10000/3600"


def test_a_rate_of_a_domain_holds_for_each_virtual_mta() -> None:
    _, conf = brought(
        "<virtual-mta a>\n smtp-source-host 192.0.2.1 a.example.com\n"
        " <domain example.com>\n  max-msg-rate 5/s\n </domain>\n</virtual-mta>\n"
        "<virtual-mta b>\n smtp-source-host 192.0.2.2\n</virtual-mta>\n"
        "<domain example.com>\n max-msg-rate 10/m\n</domain>\n"
    )
    rates = {
        name: conf.at(Shape, binding=name, domain="example.com").outbound_throttle_messages
        for name in ("a", "b")
    }
    assert {name: str(rate) for name, rate in rates.items()} == {"a": "5/1", "b": "10/60"}
    assert rates["b"] is not None
    assert "binding b" in rates["b"].key
    assert conf.at(Transport, binding="a").bind_address == "192.0.2.1"
    assert conf.at(Transport, binding="a").ehlo_hostname == "a.example.com"


def test_a_rate_of_a_domain_in_a_pool_holds_for_each_of_its_virtual_mtas() -> None:
    draft, conf = brought(
        "<virtual-mta-pool p>\n <domain example.com>\n  max-msg-rate 5/s\n </domain>\n"
        " virtual-mta a,b\n</virtual-mta-pool>\n"
        "<domain *.sub.example>\n max-msg-rate 5/s\n</domain>\n"
    )
    for name in ("a", "b"):
        found = conf.at(Shape, group="p", binding=name, domain="example.com")
        assert found.outbound_throttle_messages is not None
        assert f"binding {name}" in found.outbound_throttle_messages.key
    assert conf.at(Shape, domain="x.sub.example").outbound_throttle_messages is None
    assert "together which match" in draft.left[0].why


def test_a_rate_for_all_domains_has_no_place() -> None:
    draft, conf = brought("<domain *>\n max-msg-rate 10/m\n</domain>\n")
    assert conf.at(Shape).outbound_throttle_messages is None
    assert "all domains together" in draft.left[0].why


def test_a_macro_is_its_domains() -> None:
    draft, conf = brought(
        "domain-macro hotmail hotmail.com,msn.com, live.com\n"
        "<domain $hotmail>\n max-smtp-out 5\n</domain>\n<domain $other>\n</domain>\n"
    )
    for name in ("hotmail.com", "msn.com", "live.com"):
        assert conf.at(Shape, domain=name).max_outbound_connections == 5
    assert draft.left[0].why == "there is no such domain-macro"


def test_a_pool_is_a_binding_group() -> None:
    _, conf = brought(
        "<virtual-mta a>\n smtp-source-host 192.0.2.1\n</virtual-mta>\n"
        "<virtual-mta-pool p>\n virtual-mta a,b\n max-smtp-out 3\n</virtual-mta-pool>\n"
    )
    assert ("p", "a") in conf.bindings()
    assert ("p", "b") in conf.bindings()
    assert conf.at(Transport, group="p", binding="a").bind_address == "192.0.2.1"
    assert conf.at(Shape, group="p", binding="b").max_outbound_connections == 3


def test_sources_are_peers_and_relaying_is_kept_from_everybody() -> None:
    draft, conf = brought(
        "smtp-listener 0.0.0.0:2525\n"
        "<source 10.0.0.0/8>\n always-allow-relaying yes\n max-message-size 10M\n</source>\n"
        "<source 0/0>\n always-allow-relaying yes\n</source>\n"
    )
    inside = conf.at(Reception, listener="esmtp_listener", listen="*:2525", peer="10.1.1.1")
    assert inside.max_message_size == 10485760
    assert [str(each) for each in inside.relay_hosts or ()] == ["10.0.0.0/8"]
    assert "everybody" in draft.left[0].why


def test_nobody_may_relay_here_who_may_not_there() -> None:
    draft, conf = brought(
        "<source 10.0.0.0/8>\n always-allow-relaying yes\n</source>\n"
        "<source 10.0.0.99>\n always-allow-relaying no\n</source>\n"
        "<source 192.0.2.0/24>\n always-allow-relaying yes\n require-auth yes\n</source>\n"
        "<source 198.51.100.0/24>\n always-allow-relaying yes\n smtp-service no\n</source>\n"
        "<source ::/0>\n always-allow-relaying yes\n</source>\n"
    )
    at = {
        peer: conf.at(Reception, listener="esmtp_listener", peer=peer).relay_hosts
        for peer in ("10.0.0.1", "10.0.0.99")
    }
    assert {peer: list(map(str, found or ())) for peer, found in at.items()} == {
        "10.0.0.1": ["10.0.0.0/8"],
        "10.0.0.99": [],
    }
    why = " ".join(each.why for each in draft.left)
    for each in ("authenticate", "by SMTP", "everybody"):
        assert each in why


@pytest.mark.parametrize("endpoint", ["0/0:2525", "0.0.0.0:2525", "[::]:2525", "192.0.2.1:2525"])
def test_listeners_listen_where_they_did(endpoint: str) -> None:
    draft, conf = brought(f"smtp-listener {endpoint}\n")
    expected = endpoint if endpoint[0] in "[1" else "*:2525"
    assert [each.name for each in conf.listens("esmtp_listener")] == [expected]
    assert not draft.left


def test_no_limit_is_none() -> None:
    _, conf = brought("<domain *>\n max-smtp-out unlimited\n</domain>\n")
    assert conf.at(Shape).max_outbound_connections == -1
    draft, _ = brought("total-max-smtp-out unlimited\n")
    assert "server_max_outbound_connections = -1" in draft.text()


@pytest.mark.parametrize("lines", [("use", "require"), ("require", "use")])
def test_what_asks_for_protection_wins(lines: tuple[str, str]) -> None:
    text = "".join(f" {each}-starttls yes\n" for each in lines)
    draft, _ = brought(f"<domain a.example>\n{text}</domain>\n")
    assert "\n  tls = required" in draft.text()


def test_a_binding_has_an_address_of_each_family() -> None:
    draft, conf = brought(
        "<virtual-mta a>\n smtp-source-host 192.0.2.1 a.example.com\n"
        " smtp-source-host [2001:db8::1] a.example.com\n smtp-source-host 192.0.2.2 b.example.com\n"
        "</virtual-mta>\n"
    )
    transport = conf.at(Transport, binding="a")
    assert (transport.bind_address, transport.bind_address_secondary) == (
        "192.0.2.1",
        "2001:db8::1",
    )
    assert transport.ehlo_hostname == "a.example.com"
    assert "group of bindings" in draft.left[0].why


def test_mail_waits_under_another_domain_only_if_that_has_hosts() -> None:
    draft, conf = brought(
        "<mx-rollup-list>\n mx *.google.com gmail.rollup\n mx *.hotmail.com hotmail.com\n"
        "</mx-rollup-list>\n<domain a.example>\n queue-to sp.rollup\n</domain>\n"
        "<domain b.example>\n queue-to none.rollup\n</domain>\n"
        "<domain c.example>\n queue-to C.example\n</domain>\n"
        "<domain sp.rollup>\n route smtp.example.net:587\n</domain>\n"
    )
    assert [each.what for each in draft.left] == [
        "mx *.google.com gmail.rollup",
        "queue-to none.rollup",
    ]
    assert conf.at(Rollup, host="mx1.hotmail.com").rollup_mx_name == "hotmail.com"
    assert conf.at(Shape, domain="a.example").reroute_domain == "sp.rollup"
    assert conf.at(Shape, domain="c.example").reroute_domain is None


def test_all_mail_under_one_domain_has_no_place() -> None:
    draft, _ = brought("<domain *>\n queue-to a.example\n</domain>\n")
    assert "may not stand in the file" in draft.left[0].why


def test_no_password_is_told() -> None:
    draft, _ = brought("<domain a.example>\n auth-password quite-secret\n</domain>\n")
    assert "quite-secret" not in draft.text() + "".join(map(str, draft.left))


def test_what_is_set_twice_is_told() -> None:
    draft, conf = brought("<domain *>\n max-smtp-out 2\n max-smtp-out 3\n</domain>\n")
    assert conf.at(Shape).max_outbound_connections == 3
    assert "set again by config:3" in draft.left[0].why


def test_files_which_include_each_other_end() -> None:
    files = {f"f{each}": f"include f{each + 1}\n" * 20 for each in range(15)}
    assert brought("include f0\n", **files)[0].left


def test_a_domain_may_be_meant_with_all_below_it() -> None:
    _, conf = brought("<domain [*.]example.com>\n max-smtp-out 3\n</domain>\n")
    for name, limit in (("example.com", 3), ("a.example.com", 3), ("anexample.com", 32)):
        assert conf.at(Shape, domain=name).max_outbound_connections == limit


def test_routes_and_discarding() -> None:
    _, conf = brought(
        "<domain a.example>\n route [192.0.2.9]:26\n</domain>\n"
        "<domain b.example>\n route relay.example.net\n</domain>\n"
        "<domain c.example>\n type discard\n</domain>\n"
    )
    assert str(conf.at(Transport, domain="a.example").gateway) == "192.0.2.9:26"
    assert str(conf.at(Transport, domain="b.example").gateway) == "relay.example.net"
    assert conf.at(Shape, domain="c.example").blackhole == "internal"


def test_other_files_are_read_once_and_those_missing_are_named() -> None:
    draft, conf = brought(
        'include more\ninclude "nowhere"\n', more="host-name mx.example.com\ninclude config\n"
    )
    assert conf.root.values["hostname"] == "mx.example.com"
    assert [each.what for each in draft.left] == ["include config", "include nowhere"]


def test_blocks_without_a_counterpart_are_named() -> None:
    draft, _ = brought("<acct-file log.csv>\n records d\n</acct-file>\n<spool /x>\n</spool>\n<a")
    assert [each.where for each in draft.left] == ["config:6", "config:1", "config:4"]


@given(st.text())
def test_any_text_becomes_a_configuration_which_loads(text: str) -> None:
    brought(text)


NAMES = st.sampled_from(
    [*powermta_names.DOMAIN, *powermta_names.SOURCE, *powermta_names.GLOBALS, "route",
     "smtp-listener", "smtp-source-host", "virtual-mta", "domain-macro"]
)  # fmt: skip
BLOCKS = st.sampled_from(
    ["domain *", "domain a.example", "source 10.0.0.1", "virtual-mta v", "virtual-mta-pool p",
     "mx-rollup-list"]
)  # fmt: skip


@given(st.lists(st.tuples(BLOCKS, NAMES, st.text(max_size=20)), max_size=8))
def test_any_values_are_taken_or_left_out(rows: list[tuple[str, str, str]]) -> None:
    text = "".join(
        f"<{block}>\n{name} {value}\n</{block.split(' ')[0]}>\n{name} {value}\n"
        for block, name, value in rows
    )
    brought(text)


def read_text(path: str) -> str | None:
    """Return what a file of the samples has."""
    return Path(path).read_text("utf-8", "replace") if Path(path).is_file() else None


@pytest.mark.skipif(not CORPORA, reason="ANGARIUM_CORPORA names no directory of samples")
def test_public_samples_become_configurations_which_load() -> None:
    found = sorted(Path(CORPORA).glob("powermta/**/config*"))
    for path in found:
        draft = powermta.read(str(path), read_text)
        load_text(draft.text())
        assert draft.text().count("\n") > 3, path
    assert found, "powermta/ has no samples"


def test_the_certificate_for_clients_is_the_listeners() -> None:
    draft, _ = brought("smtp-server-tls-certificate /etc/pmta/smtp.pem secret-words\n")
    assert "\n  tls_certificate = /etc/pmta/smtp.pem" in draft.text()
    assert "secret-words" not in draft.text()
