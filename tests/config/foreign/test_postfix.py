"""What a Postfix becomes; the configurations are ours."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.foreign import postfix
from angarium.config.foreign.draft import Draft
from angarium.config.load import load_text
from angarium.config.resolve import Configuration
from angarium.inbound.options import Reception
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
    return next(each.why for each in draft.left if each.what.startswith(name))


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


def test_a_relayhost_in_brackets_has_no_mx() -> None:
    _, conf = brought("relayhost = [smart.example.net]:587\n")
    (route,) = conf.at(Transport).routes
    assert "smart.example.net" in str(route)
    _, conf = brought("relayhost = smart.example.net\n")
    assert str(conf.at(Transport).gateway) == "smart.example.net"


def test_listeners_come_from_master_with_what_is_theirs() -> None:
    draft, conf = brought("inet_interfaces = all\nsmtpd_recipient_limit = 1000\n")
    assert [each.name for each in conf.listens("esmtp_listener")] == ["*:25", "*:587"]
    at = {
        name: conf.at(Reception, listener="esmtp_listener", listen=name).max_recipients_per_message
        for name in ("*:25", "*:587")
    }
    assert at == {"*:25": 1000, "*:587": 100}
    assert left(draft, "milter_macro_daemon_name") == "has no counterpart"


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
    assert conf.at(Transport, domain="a.example.net").routes
    assert conf.at(Transport, domain="mail.example").delivery_method == "LMTP"


def test_policy_and_mailboxes_are_left_out_with_a_reason() -> None:
    draft, _ = brought("header_checks = regexp:/x\nmydestination = $myhostname\nfoo_bar = 1\n")
    assert "policy" in left(draft, "header_checks")
    assert "mailboxes" in left(draft, "mydestination")
    assert left(draft, "foo_bar") == "has no counterpart"


def test_a_level_of_tls_which_we_cannot_keep_is_a_comment() -> None:
    draft, _ = brought("smtp_tls_security_level = encrypt\n")
    assert re.search(r"^# tls = required", draft.text(), re.MULTILINE)
    assert "not safe" in left(draft, "smtp_tls_security_level")


def test_what_the_other_program_keeps_for_itself_is_not_listed() -> None:
    draft, _ = brought("queue_directory = /var/spool/postfix\nbiff = no\n", master="")
    assert [each.what.split(" ")[0] for each in draft.left] == ["queue_directory"]


@given(main=st.text(), master=st.text(), table=st.text())
def test_any_files_become_a_configuration_which_loads(main: str, master: str, table: str) -> None:
    files = {"/p/main.cf": main, "/p/master.cf": master, "/p/t": table}
    load_text(postfix.read("/p", files.get).text())


NAMES = st.sampled_from(
    [*postfix.PLAIN, *postfix.SESSION_PLAIN, *postfix.TIMES, "mynetworks", "relayhost",
     "relay_domains", "smtpd_banner", "inet_interfaces", "smtp_tls_security_level"]
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
