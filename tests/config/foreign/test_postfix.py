"""What a Postfix becomes; the configurations are ours."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.foreign import postfix, postfix_names
from angarium.config.foreign.draft import Draft
from angarium.config.load import load_text
from angarium.config.resolve import Configuration
from angarium.inbound.options import Conformance, Reception
from angarium.net.options.tls import InboundTls
from angarium.outbound.options import Transport
from angarium.queue.options import Shape

CORPORA = os.environ.get("ANGARIUM_CORPORA", "")

MASTER = """\
smtp       inet  n  -  y  -  -  smtpd
submission inet  n  -  y  -  -  smtpd
  -o smtpd_recipient_limit=100
  -o milter_macro_daemon_name=ORIGINATING
pickup     unix  n  -  y  60 1  pickup
slow       unix  -  -  n  -  5  smtp -o smtp_connect_timeout=5
"""


def brought(main: str, master: str = MASTER, **files: str) -> tuple[Draft, Configuration]:
    """Return the draft and what it means."""
    known = {"/p/main.cf": main, "/p/master.cf": master}
    known |= {f"/p/{name}": text for name, text in files.items()}
    draft = postfix.read("/p", known.get)
    return draft, load_text(draft.text())


def left(draft: Draft, name: str) -> str:
    """Return why something was left out."""
    found = [each.why for each in draft.left if each.what.startswith(name)]
    return "; ".join(found)


def test_times_limits_and_names_have_their_options() -> None:
    _, conf = brought(
        "myhostname = mx.example.org\nmaximal_queue_lifetime = 5d\nminimal_backoff_time=300s\n"
        "smtp_connect_timeout = 30s\nsmtp_helo_timeout = 2m\nsmtpd_timeout = 90\n"
        "message_size_limit = 10240000\ndefault_destination_concurrency_limit = 7\n"
        "smtp_data_xfer_timeout = 180s\nsmtp_data_done_timeout = 600s\n"
    )
    shape, transport = conf.at(Shape), conf.at(Transport)
    assert (shape.message_expiration, shape.retry_interval) == (432000.0, 300.0)
    assert shape.max_outbound_connections == 7
    assert (transport.connect_timeout, transport.banner_timeout) == (30.0, 120.0)
    assert transport.body_timeout == 600.0
    session = conf.at(Reception, listener="esmtp_listener")
    assert (session.idle_time, session.max_message_size) == (90.0, 10240000)


def test_values_are_expanded() -> None:
    _, conf = brought(
        "mydomain = example.org\nmyhostname = mx.$mydomain\n"
        "smtpd_banner = ${myhostname} ESMTP ${nothing:ready}${nothing?no}\n"
    )
    banner = conf.at(Reception, listener="esmtp_listener").static_banner
    assert banner == "220 mx.example.org ESMTP ready"


def test_clients_of_mynetworks_may_relay_and_tables_are_named() -> None:
    draft, conf = brought("mynetworks = 127.0.0.0/8 [::1]/128\n  hash:/etc/postfix/more\n")
    networks = conf.at(Reception, listener="esmtp_listener").relay_hosts
    assert [str(each) for each in networks or ()] == ["127.0.0.0/8", "::1/128"]
    assert left(draft, "mynetworks = hash:") == "is a table or a name"


@pytest.mark.parametrize(
    "restrictions",
    [
        "smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination\n",
        "smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = reject_unauth_destination\n",
        "smtpd_recipient_restrictions = reject_unauth_destination, permit_mynetworks\n",
        "smtpd_client_restrictions = permit_sasl_authenticated, reject\n",
    ],
)
def test_who_may_not_relay_there_may_not_here(restrictions: str) -> None:
    draft, conf = brought("mynetworks = 192.0.2.0/24\n" + restrictions)
    assert not conf.at(Reception, listener="esmtp_listener").relay_hosts
    assert "do not let" in left(draft, "mynetworks")


def test_exceptions_of_a_list_are_not_lost() -> None:
    draft, conf = brought("mynetworks = !192.0.2.1 192.0.2.0/24\nrelay_domains = !a.example b.c\n")
    assert not conf.at(Reception, listener="esmtp_listener").relay_hosts
    assert "exceptions" in left(draft, "mynetworks")
    assert "exceptions" in left(draft, "relay_domains")


def test_who_may_relay_nowhere_is_told_when_nobody_was_named() -> None:
    draft, _ = brought("myhostname = mx.example.org\n")
    assert "relay_hosts" in left(draft, "mynetworks")


def test_a_table_of_relay_domains_is_read() -> None:
    _, conf = brought(
        "relay_domains = hash:/p/relay a.example\n", relay="b.example OK\n.c.example x\n"
    )
    found = conf.at(Conformance).relay_domains
    assert found == ("b.example", "*.b.example", "*.c.example", "a.example", "*.a.example")
    exact = "parent_domain_matches_subdomains =\nrelay_domains = a.example\n"
    assert brought(exact)[1].at(Conformance).relay_domains == ("a.example", "*.a.example")
    exact = "parent_domain_matches_subdomains = mynetworks\nrelay_domains = a.example\n"
    assert brought(exact)[1].at(Conformance).relay_domains == ("a.example",)


def test_a_relayhost_in_brackets_has_no_mx() -> None:
    _, conf = brought("relayhost = [smart.example.net]:587\n")
    (route,) = conf.at(Transport).routes
    assert "smart.example.net" in str(route)
    _, conf = brought("relayhost = smart.example.net\n")
    assert str(conf.at(Transport).gateway) == "smart.example.net"
    _, conf = brought("relayhost = [2001:db8::1]:26\n")
    assert str(conf.at(Transport).gateway) == "[2001:db8::1]:26"
    _, conf = brought("relayhost = [a.example], [b.example]:26\n")
    assert [each.split("?")[0] for each in conf.at(Transport).routes] == [
        "smtp://a.example",
        "smtp://b.example",
    ]


def test_a_domain_of_its_own_way_is_not_sent_to_the_relayhost() -> None:
    table = "own.example smtp:\nother.example smtp:[192.0.2.7]\n.sub.example smtp:\nno.example :\n"
    main = "transport_maps = hash:/p/transport\nrelayhost = smart.example.net\n"
    draft, conf = brought(main, transport=table)
    assert str(conf.at(Transport, domain="own.example").gateway) == "own.example"
    assert str(conf.at(Transport, domain="other.example").gateway) == "192.0.2.7"
    assert str(conf.at(Transport, domain="no.example").gateway) == "smart.example.net"
    assert "gateway" in left(draft, ".sub.example")
    _, conf = brought(main.replace("smart", "[smart").replace("net\n", "net]\n"), transport=table)
    assert conf.at(Transport, domain="own.example").routes == ("__mx__",)


def test_the_first_table_wins() -> None:
    draft, conf = brought(
        "transport_maps = hash:/p/one, proxy:hash:/p/two\n",
        one="a.example smtp:[192.0.2.1]\na.example smtp:[192.0.2.2]\n",
        two="a.example smtp:[192.0.2.3]\nb.example discard:\n",
    )
    assert str(conf.at(Transport, domain="a.example").gateway) == "192.0.2.1"
    assert conf.at(Shape, domain="b.example").blackhole == "internal"
    assert "same name" in left(draft, "a.example = smtp:[192.0.2.2]")


def test_what_a_transport_runs_decides_about_its_next_hop() -> None:
    master = MASTER + "list unix - n n - - pipe\n  flags=R user=list argv=/bin/list ${user}\n"
    draft, conf = brought(
        "transport_maps = hash:/p/transport\n",
        master,
        transport="l.example list:archive\nu.example lmtp:unix:/run/lmtp\nm.example lmtp:mda\n",
    )
    assert conf.at(Transport, domain="l.example").gateway is None
    assert "no counterpart" in left(draft, "l.example")
    assert conf.at(Transport, domain="u.example").delivery_method == "ESMTP"
    assert "no next hop" in left(draft, "u.example")
    mda = conf.at(Transport, domain="m.example")
    assert mda.delivery_method == "LMTP"
    assert mda.routes == ("smtp://mda?type=a&port=24",)


def test_a_wait_between_messages_has_its_place_in_one_domain_only() -> None:
    draft, conf = brought(
        "default_destination_rate_delay = 1s\ntransport_maps = hash:/p/transport\n"
        "slow_destination_rate_delay = 2s\n",
        transport=".example.com slow:\n",
    )
    assert conf.at(Shape).outbound_throttle_messages is None
    assert "one for all" in left(draft, "default_destination_rate_delay")
    assert conf.at(Shape, domain="a.example.com").outbound_throttle_messages is None
    assert "write it for each" in left(draft, "slow_destination_rate_delay")


def test_what_is_for_smtp_wins_and_nought_is_no_limit() -> None:
    for lines in (
        ["smtp_destination_concurrency_limit = 5", "default_destination_concurrency_limit = 9"],
        ["default_destination_concurrency_limit = 9", "smtp_destination_concurrency_limit = 5"],
    ):
        assert brought("\n".join(lines))[1].at(Shape).max_outbound_connections == 5
    _, conf = brought("default_destination_concurrency_limit = 0\n")
    assert conf.at(Shape).max_outbound_connections == -1


def test_a_time_for_data_is_not_one_for_its_end() -> None:
    draft, conf = brought("smtp_data_init_timeout = 10s\nsmtp_data_done_timeout = 900s\n")
    assert conf.at(Transport).body_timeout == 900.0
    assert "done_timeout" in left(draft, "smtp_data_init_timeout")


def test_a_name_without_a_value_is_no_empty_value() -> None:
    draft, conf = brought("smtp_helo_name = mx.$mydomain\nsmtpd_hard_error_limit = "
                          "${stress?{1}:{20}}\n")  # fmt: skip
    assert conf.at(Transport).ehlo_hostname == "__hostname__"
    assert "mydomain has no value" in left(draft, "smtp_helo_name")
    assert conf.at(Reception, listener="esmtp_listener").max_errors_per_connection == 20


def test_listeners_come_from_master_with_what_is_theirs() -> None:
    draft, conf = brought("inet_interfaces = all\nsmtpd_recipient_limit = 1000\n")
    assert [each.name for each in conf.listens("esmtp_listener")] == ["*:25", "*:587"]
    at = {
        name: conf.at(Reception, listener="esmtp_listener", listen=name).max_recipients_per_message
        for name in ("*:25", "*:587")
    }
    assert at == {"*:25": 1000, "*:587": 100}
    assert left(draft, "milter_macro_daemon_name") == "has no counterpart"


def test_postscreen_and_smtpd_behind_it_are_one_listener() -> None:
    draft, conf = brought(
        "",
        "smtp inet n - y - 1 postscreen\n"
        "smtpd pass - - y - - smtpd -o { smtpd_recipient_limit = 7 }\n",
    )
    assert [each.name for each in conf.listens("esmtp_listener")] == ["*:25"]
    at = conf.at(Reception, listener="esmtp_listener", listen="*:25")
    assert at.max_recipients_per_message == 7
    assert "policy" in left(draft, "smtp postscreen")


def test_a_service_which_begins_with_tls_does_so_here() -> None:
    _, conf = brought(
        "smtpd_tls_cert_file = /etc/x.pem\n",
        "smtps inet n - y - - smtpd\n -o smtpd_tls_wrappermode=yes\n",
    )
    assert conf.at(InboundTls, listener="esmtp_listener", listen="*:465").use_ssl


def test_a_service_for_those_who_authenticate_lets_no_network_relay() -> None:
    master = (
        "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n"
        "  -o { smtpd_relay_restrictions = permit_sasl_authenticated, reject }\n"
        "127.0.0.1:10025 inet n - y - - smtpd -o mynetworks=127.0.0.0/8\n"
        "  -o smtpd_recipient_restrictions=permit_mynetworks,reject\n"
    )
    _, conf = brought("mynetworks = 192.0.2.0/24\n", master)
    at = {
        each.name: conf.at(Reception, listener="esmtp_listener", listen=each.name).relay_hosts
        for each in conf.listens("esmtp_listener")
    }
    assert {name: list(map(str, found or ())) for name, found in at.items()} == {
        "*:25": ["192.0.2.0/24"],
        "*:587": [],
        "127.0.0.1:10025": ["127.0.0.0/8"],
    }


def test_a_transport_has_its_domains_and_its_limits() -> None:
    _, conf = brought(
        "transport_maps = hash:/p/transport\nslow_destination_rate_delay = 2s\n"
        "slow_destination_concurrency_limit = 2\n",
        transport="example.com slow:\n.example.net smtp:[192.0.2.9]:26\n"
        "mail.example lmtp:inet:127.0.0.1:24\n",
    )
    slow = conf.at(Shape, domain="example.com")
    assert slow.max_outbound_connections == 2
    assert str(slow.outbound_throttle_messages) == "1/2"
    assert conf.at(Transport, domain="example.com").connect_timeout == 5.0
    assert str(conf.at(Transport, domain="a.example.net").gateway) == "192.0.2.9:26"
    assert conf.at(Transport, domain="mail.example").delivery_method == "LMTP"


def test_policy_and_mailboxes_are_left_out_with_a_reason() -> None:
    draft, _ = brought("header_checks = regexp:/x\nmydestination = $myhostname\nfoo_bar = 1\n")
    assert "policy" in left(draft, "header_checks")
    assert "mailboxes" in left(draft, "mydestination")
    assert left(draft, "foo_bar") == "has no counterpart"


@pytest.mark.parametrize(
    ("level", "lines"),
    [
        ("smtp_tls_security_level = dane", ["tls = ifavailable", "use_dane = true"]),
        ("smtp_tls_security_level = secure", ["tls = required", "tls_verify = host"]),
        ("smtp_tls_security_level = encrypt", ["tls = required"]),
        ("smtp_enforce_tls = yes", ["tls = required"]),
    ],
)
def test_levels_of_tls_ask_for_no_less(level: str, lines: list[str]) -> None:
    draft, _ = brought(level + "\n")
    text = draft.text().split("\n")
    for line in lines:
        assert any(each.startswith(line) for each in text), text


def test_no_password_is_told() -> None:
    draft, _ = brought("smtp_sasl_password_maps = static:me:quite-secret\n")
    assert "quite-secret" not in draft.text() + "".join(map(str, draft.left))


def test_what_the_other_program_keeps_for_itself_is_not_listed() -> None:
    draft, _ = brought("queue_directory = /var/spool/postfix\nbiff = no\n", master="")
    told = [each.what.split(" ")[0] for each in draft.left]
    assert told == ["mynetworks", "queue_directory"]


@given(main=st.text(), master=st.text(), table=st.text())
def test_any_files_become_a_configuration_which_loads(main: str, master: str, table: str) -> None:
    files = {"/p/main.cf": main, "/p/master.cf": master, "/p/t": table}
    load_text(postfix.read("/p", files.get).text())


NAMES = st.sampled_from(
    [*postfix_names.PLAIN, *postfix_names.SESSION_PLAIN, *postfix_names.TIMES, "mynetworks",
     "relayhost", "relay_domains", "smtpd_banner", "inet_interfaces", "smtp_tls_security_level"]
)  # fmt: skip


@given(st.lists(st.tuples(NAMES, st.text(max_size=20)), max_size=10))
def test_any_values_are_taken_or_left_out(pairs: list[tuple[str, str]]) -> None:
    main = "".join(f"{name} = {value}\n" for name, value in pairs)
    load_text(postfix.read("/p", {"/p/main.cf": main}.get).text())


def test_a_directory_of_files_is_read(tmp_path: Path) -> None:
    draft = postfix.read(str(tmp_path), lambda _: None)
    assert not draft.left


def read_text(path: str) -> str | None:
    """Return what a file of the samples has."""
    return Path(path).read_text("utf-8", "replace") if Path(path).is_file() else None


@pytest.mark.skipif(not CORPORA, reason="ANGARIUM_CORPORA names no directory of samples")
def test_public_samples_become_configurations_which_load() -> None:
    found = sorted(Path(CORPORA).glob("postfix/**/main.cf"))
    for path in found:
        draft = postfix.read(str(path.parent), read_text)
        load_text(draft.text())
        assert draft.text().count("\n") > 3, path
    assert found, "postfix/ has no samples"
