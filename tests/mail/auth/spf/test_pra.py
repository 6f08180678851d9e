"""Who last put a message on its way."""

import pytest

from angarium.mail.auth.spf.pra import purported
from angarium.mail.format.header import Header

HOP = "Received: from a by b"


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        (["From: Joe <joe@a.example>"], "joe@a.example"),
        (["From: joe@a.example", "Sender: list@b.example"], "list@b.example"),
        (["From: joe@a.example", "Sender:", "Sender: list@b.example"], "list@b.example"),
        (["From: joe@a.example", "Resent-From: ann@c.example"], "ann@c.example"),
        (
            ["Resent-Sender: s@d.example", "Resent-From: ann@c.example", "From: joe@a.example"],
            "s@d.example",
        ),
        (["Resent-From: ann@c.example", "Resent-Sender: s@d.example"], "s@d.example"),
        (["Resent-From: ann@c.example", HOP, "Resent-Sender: s@d.example"], "ann@c.example"),
        (["Resent-Sender: s@d.example", HOP, "Resent-From: ann@c.example"], "s@d.example"),
        (["Resent-Sender:", "From: joe@a.example"], "joe@a.example"),
    ],
)
def test_who_sent_it_again_comes_before_the_sender_and_he_before_the_author(
    fields: list[str], address: str
) -> None:
    assert purported(Header("".join(f"{each}\r\n" for each in fields).encode())) == address


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["From:"],
        ["From: joe@a.example", "From: ann@b.example"],
        ["From: joe@a.example, ann@b.example"],
        ["From: joe"],
        ["From: joe@a.example", "Sender: a@b.example", "Sender: c@d.example"],
        ["From: joe@a.example", "Resent-From: nobody"],
        ["From: @a.example"],
    ],
)
def test_a_header_which_does_not_say_it_clearly_has_no_such_address(fields: list[str]) -> None:
    assert not purported(Header("".join(f"{each}\r\n" for each in fields).encode()))
