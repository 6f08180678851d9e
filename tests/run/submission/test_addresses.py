"""Addresses of headers and command lines."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.run.submission.addresses import AddressError, listed, mailbox


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bob@x.test", "bob@x.test"),
        (" <bob@x.test> ", "bob@x.test"),
        ("root", "root@host.test"),
        ('"a b@c"@x.test', '"a b@c"@x.test'),
        ("jürgen@exämple.test", "jürgen@exämple.test"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ("<@relay.test:bob@x.test>", "bob@x.test"),
    ],
)
def test_an_address(text: str, found: str) -> None:
    assert mailbox(text, "host.test") == found


@pytest.mark.parametrize(
    "text",
    [
        "", "<>", "@", "a@", "@b", "a b@c.test", "a@b c", "a@b.test>", "a\r\nb@c.test",
        "a..b@c.test", ".a@c.test", "a,b@c.test", '"a@c.test', '"a\n"@c.test', "a@-", "a@b\0.test",
        "\udcff@c.test", "x" * 255 + "@c.test", "a@b\u0085.test", "a@b.test\nRCPT TO:<z@z>",
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(AddressError):
        mailbox(text, "host.test")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("a@x, b@y", ["a@x", "b@y"]),
        ('"Doe, John" <j@x>, K <k@y>', ["j@x", "k@y"]),
        ("friends: a@x, B <b@y>;, c@z", ["a@x", "b@y", "c@z"]),
        ("undisclosed-recipients:;", []),
        ("a@x (John (the) \\) Doe), b@y", ["a@x", "b@y"]),
        ("John Q Public <j@x>", ["j@x"]),
        ("a@[IPv6:2001:db8::1], b", ["a@[IPv6:2001:db8::1]", "b"]),
        ('"quo\\"ted, x"@y', ['"quo\\"ted, x"@y']),
        (",,a@x,,", ["a@x"]),
        ("<@r:a@x>", ["a@x"]),
        ("a @ x", ["a @ x"]),  # told to be none by `mailbox`
    ],
)
def test_a_list(text: str, found: list[str]) -> None:
    assert listed(text) == found


@pytest.mark.parametrize(
    "text", ["<a@x", "<a@x, b@y>;", "(open", '"open', "a)", "<a> <b>", "<a<b>", "a@[open", "\\"]
)
def test_a_list_which_is_none(text: str) -> None:
    with pytest.raises(AddressError):
        listed(text)


@given(st.text(alphabet='a@.,:;<>()"[]\\ \t\r\n\0ü', max_size=40))
def test_whatever_is_taken_fits_into_a_command(text: str) -> None:
    try:
        found = [mailbox(each, "h.test") for each in listed(text)]
    except AddressError:
        return
    for each in found:
        assert each.isprintable()
        assert "<" not in each.replace('"', "") or each.startswith('"')


@pytest.mark.parametrize("piece", ["(", "<", '"', "a,", "\\", "[", "(()", "<@"])
def test_a_hostile_list_takes_linear_time(piece: str) -> None:
    def took(count: int) -> float:
        begun = time.process_time()
        with suppress(AddressError):
            listed(piece * count)
        return time.process_time() - begun

    assert took(200_000) < 2.0
