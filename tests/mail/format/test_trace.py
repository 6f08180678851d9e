"""What we put before a message."""

from datetime import UTC, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format import trace


def test_dates() -> None:
    assert trace.date(1_700_000_000, UTC) == "Tue, 14 Nov 2023 22:13:20 +0000"
    east = timezone(timedelta(hours=5, minutes=30))
    assert trace.date(1_700_000_000, east) == "Wed, 15 Nov 2023 03:43:20 +0530"


def test_the_local_zone_is_the_default() -> None:
    assert trace.date(1_700_000_000).startswith(("Tue, 14 Nov", "Wed, 15 Nov"))


def test_received_has_the_form_of_momentum() -> None:
    start = trace.received_from("127.0.0.1", 50033, "centos32", "mx")
    field = trace.received(
        start, "root@centos32", "angarium 1", "ESMTP", "80/00-02010-982EF5C4", "D"
    )
    assert field == (
        "Received: from [127.0.0.1] ([127.0.0.1:50033] helo=centos32)\r\n"
        "\tby mx (envelope-from <root@centos32>)\r\n"
        "\t(angarium 1) with ESMTP\r\n"
        "\tid 80/00-02010-982EF5C4; D\r\n"
    )


def test_received_of_ipv6_and_without_a_greeting() -> None:
    start = trace.received_from("2001:db8::1", 25, "", "mx")
    assert start == "Received: from [IPv6:2001:db8::1] ([2001:db8::1]:25)\r\n\tby mx"


@given(st.text(st.sampled_from('ab()\\" @')))
def test_no_sender_breaks_out_of_its_comment(sender: str) -> None:
    field = trace.received("x", sender, "p", "ESMTP", "id", "date")
    comment = field[field.index("<") : field.index("(p)")]
    depth, escaped = 1, False
    for letter in comment:
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        else:
            depth += {"(": 1, ")": -1}.get(letter, 0)
    assert depth == 0


def test_a_message_id_is_made_of_the_id() -> None:
    assert trace.message_id("91/6D-07914-E67BC044", "mx") == "<91.6D.07914.E67BC044@mx>"


def test_what_no_connection_has_brought_comes_from_nowhere() -> None:
    assert trace.brought_in("mx.example", "Angarium 1", "91/6D-07914-E67BC044", "now") == (
        "Received: by mx.example\r\n\t(Angarium 1)\r\n\tid 91/6D-07914-E67BC044; now\r\n"
    )
