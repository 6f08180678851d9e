import socket

import pytest

from angarium.config.load import load_text
from angarium.run.host import Host

CONFIG = """
hostname = "mx.example"
relay_domains = ( "example.com" "*.example.net" )
bounce_domains = ( "bounces.example" )
esmtp_listener {
  listen "192.0.2.1:25" { }
  listen ":2525" { }
}
domain "gone.example" { blackhole = inline }
"""


@pytest.fixture
def host() -> Host:
    return Host(load_text(CONFIG))


def test_it_has_the_name_of_the_configuration_or_of_the_system(host: Host) -> None:
    assert host.name == "mx.example"
    assert Host(load_text("")).name == socket.getfqdn()


def test_what_it_writes_into_mail_may_have_another_name(host: Host) -> None:
    assert host.external == "mx.example"
    other = Host(load_text(CONFIG + 'external_hostname = "mail.example"'))
    assert (other.name, other.external) == ("mx.example", "mail.example")


@pytest.mark.parametrize(
    ("address", "port", "ours"),
    [
        ("192.0.2.1", 25, True),  # named
        ("127.0.0.1", 2525, True),  # one of ours, as we listen on all
        ("192.0.2.7", 2525, False),  # of another machine
        ("127.0.0.1", 25, False),  # ours, but nobody of us listens there
    ],
)
def test_mail_sent_to_where_we_listen_would_come_back(
    host: Host, address: str, port: int, ours: bool
) -> None:
    assert host.is_itself("mx.other.example", address, port) is ours


def test_it_relays_for_what_the_configuration_says(host: Host) -> None:
    relayed = ["example.com", "a.example.net", "bounces.example"]
    assert [each for each in [*relayed, "example.net", "b.example"] if host.relays(each)] == relayed


def test_mail_into_an_inline_black_hole_is_refused(host: Host) -> None:
    assert host.blackholed("gone.example")
    assert not host.blackholed("example.com")


def test_a_reload_changes_all_of_it(host: Host) -> None:
    host.use(load_text('hostname = "new.example"'))
    assert host.name == "new.example"
    assert not host.is_itself("", "192.0.2.1", 25)
    assert not host.relays("example.com")
    assert not host.blackholed("gone.example")
