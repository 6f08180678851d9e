"""Who is checked by SPF."""

import pytest

from angarium.mail.auth.spf.client import Client, client_address, dotted


@pytest.mark.parametrize(
    ("sender", "mailbox"),
    [
        ("joe@a.example", ("joe", "a.example")),
        ("@a.example", ("postmaster", "a.example")),
        ("a.example", ("postmaster", "a.example")),
        ("", ("postmaster", "mx.a.example")),
        ('"a@b"@c.example', ('"a@b"', "c.example")),
    ],
)
def test_a_sender_without_a_local_part_is_the_postmaster(
    sender: str, mailbox: tuple[str, str]
) -> None:
    client = Client(client_address("192.0.2.1"), "mx.a.example", sender)
    assert client.mailbox == mailbox


def test_a_name_of_other_letters_is_asked_by_its_a_labels() -> None:
    client = Client(client_address("192.0.2.1"), "h", "jörg@müller.example.")
    assert client.domain == "xn--mller-kva.example"
    assert client.letters()["o"] == "xn--mller-kva.example"
    assert client.letters()["l"] == "jörg"


def test_addresses_are_seen_as_spf_sees_them() -> None:
    assert str(client_address("::ffff:192.0.2.1")) == "192.0.2.1"
    assert str(client_address("fe80::1%eth0")) == "fe80::1"
    with pytest.raises(ValueError, match="host"):
        client_address("host")
    assert dotted(client_address("192.0.2.1")) == "192.0.2.1"
    assert dotted(client_address("2001:db8::cb01")).startswith("2.0.0.1.0.D.B.8.0.")
