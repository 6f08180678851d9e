"""The field Received-SPF."""

from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.spf.check import Finding
from angarium.mail.auth.spf.client import Client, client_address
from angarium.mail.auth.spf.received import received_spf
from angarium.mail.auth.spf.record import Result
from angarium.mail.format.header import Header

CLIENT = Client(client_address("192.0.2.1"), "mx.a.example", "joe@a.example")


def test_it_says_who_was_checked_and_what_matched() -> None:
    finding = Finding(
        Result.PASS, "a.example", "mailfrom", "a.example lets it send", "ip4:192.0.2.1"
    )
    octets = received_spf(finding, CLIENT, "mx.example.org")
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    assert Header(octets).value(b"received-spf") == (
        b"pass (mx.example.org: a.example lets it send)\treceiver=mx.example.org;"
        b' client-ip=192.0.2.1; envelope-from="joe@a.example";\thelo=mx.a.example;'
        b' identity=mailfrom; mechanism="ip4:192.0.2.1"'
    )


def test_an_error_is_told() -> None:
    finding = Finding(Result.PERMERROR, "a.example", "helo", 'a "record" (bad)')
    value = Header(received_spf(finding, CLIENT, "h")).value(b"received-spf")
    assert value is not None
    assert value.startswith(rb'permerror (h: a "record" \(bad\))')
    assert value.endswith(rb'problem="a \"record\" (bad)"')


@given(st.text(max_size=400), st.text(max_size=400), st.text(max_size=400))
def test_nothing_a_peer_says_makes_another_field(helo: str, sender: str, reason: str) -> None:
    client = Client(CLIENT.address, helo, sender)
    finding = Finding(Result.FAIL, "a", "mailfrom", reason, reason)
    octets = received_spf(finding, client, "h")
    header = Header(octets)
    assert header.names == [b"received-spf"]
    assert octets.count(b"\r\n") == octets.count(b"\n") == octets.count(b"\r")
    assert octets.endswith(b"\r\n")
    assert not octets.endswith(b"\r\n\r\n")
