"""Addresses in header fields."""

from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.addresses import COMPONENTS, Mailbox, components, mailboxes


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("a@b.example", [("a@b.example", "", "")]),
        ("<a@b>", [("a@b", "", "")]),
        ("Bob <a@b>, c@d ,, <e@f>,", [("a@b", "Bob", ""), ("c@d", "", ""), ("e@f", "", "")]),
        ('"Bob, Jr." <a@b>', [("a@b", "Bob, Jr.", "")]),
        (r'"Bob \"x\"" <a@b>', [("a@b", 'Bob "x"', "")]),
        ("Mr. J. R. Bob <a@b>", [("a@b", "Mr. J. R. Bob", "")]),
        ("a@b (Bob (nested) \\) x)", [("a@b", "Bob (nested) ) x", "")]),
        ("Bob (not this) <a@b> (nor this)", [("a@b", "Bob", "")]),
        ('"a b"@c', [('"a b"@c', "", "")]),
        ('"plain"@c', [("plain@c", "", "")]),
        ("a..b.@c", [("a..b.@c", "", "")]),
        ("a@[192.0.2.1]", [("a@[192.0.2.1]", "", "")]),
        # Obsolete: blanks and comments around dots and @, a route, empty elements.
        ("a . b (x) @ c . d", [("a.b@c.d", "x", "")]),
        ("Bob <@x,@y:a@b>", [("a@b", "Bob", "")]),
        ("Bob <@x:a@b>, <@x,@y,@z:c@d>", [("a@b", "Bob", ""), ("c@d", "", "")]),
        # Groups.
        (
            "Team: a@b, Bob <c@d>; e@f",
            [("a@b", "", "Team"), ("c@d", "Bob", "Team"), ("e@f", "", "")],
        ),
        ("undisclosed-recipients:;", []),
        ('"A: B": a@b;', [("a@b", "", "A: B")]),
        # Encoded words and UTF-8.
        ("=?utf-8?q?J=C3=B6rg?= <j@a>", [("j@a", "Jörg", "")]),
        ("=?utf-8?q?a=2C_?= =?utf-8?b?w6k=?= <j@a>", [("j@a", "a, é", "")]),
        ("=?utf-8?q?x@y,z?= <j@a>", [("j@a", "x@y,z", "")]),
        ('"=?utf-8?q?J=C3=B6rg?=" <j@a>', [("j@a", "Jörg", "")]),
        ("j@a (=?utf-8?q?J=C3=B6rg?=)", [("j@a", "Jörg", "")]),
        ("Jörg <jörg@é.example>", [("jörg@é.example", "Jörg", "")]),
        # Broken: all addresses which anybody might see.
        ("<a@b> <c@d>", [("a@b", "", ""), ("c@d", "", "")]),
        ("a@b c@d", [("a@b", "", ""), ("c@d", "", "")]),
        ("a@b <c@d>", [("c@d", "a@b", "")]),
        ("Bob a@b", [("a@b", "Bob", "")]),
        ("<a@b", [("a@b", "", "")]),
        ("<a@b, Bob <c@d>", [("a@b", "", ""), ("c@d", "Bob", "")]),
        ("<a@b, c@d>", [("a@b", "", ""), ("c@d", "", "")]),
        ("a@b: c@d", [("a@b", "", ""), ("c@d", "", "")]),
        ("a@b@c", [('"a@b"@c', "", "")]),
        ("@b", [("@b", "", "")]),
        ("a@", [("a", "", "")]),
        ("root", [("root", "", "")]),
        ("Jane Doe", []),
        ("<>", []),
        ("", []),
        ('"never closed <a@b>', [('"never closed <a@b>"', "", "")]),
        ("(never closed <a@b>", []),
        ("a@b>", [("a@b", "", "")]),
        ("a@b;", [("a@b", "", "")]),
    ],
)
def test_addresses_are_found(value: str, found: list[tuple[str, str, str]]) -> None:
    assert [(each.address, each.name, each.group) for each in mailboxes(value.encode())] == found


def test_components_are_those_of_subaddressing() -> None:
    value = b'Bob <bob+lists@a.example>, "x+y z"@b.example, root, c@d'
    assert components(value, "all") == [
        "bob+lists@a.example", '"x+y z"@b.example', "root", "c@d",
    ]  # fmt: skip
    assert components(value, "localpart") == ["bob+lists", '"x+y z"', "root", "c"]
    assert components(value, "user") == ["bob", "x", "root", "c"]
    assert components(value, "detail") == ["lists", "y z"]
    assert components(value, "domain") == ["a.example", "b.example", "d"]
    assert components(b"bob-x@a, b+c@d", "user", delimiter="-") == ["bob", "b+c"]
    with pytest.raises(ValueError, match="no component"):
        components(value, "other")


BITS = st.lists(
    st.sampled_from(list('"(),:;<>@.\\[] \t\r\n\0ab=?') + ["=?utf-8?q?a?=", "é", "a@b", "\udcff"]),
    max_size=40,
).map(lambda bits: "".join(bits).encode("utf-8", "surrogateescape"))


@given(BITS)
def test_any_octets_give_a_list_which_reads_the_same_again(value: bytes) -> None:
    for each in mailboxes(value):
        for which in COMPONENTS:
            each.component(which)
        if each.domain and not set('()[]<>,;:@\\"\r\n\0 \t=') & set(each.domain):
            address = each.address.encode("utf-8", "surrogateescape")
            if "=?" in each.address:
                continue
            assert [(one.local, one.domain) for one in mailboxes(address)] == [
                (each.local, each.domain)
            ]


NAME = st.text(
    st.characters(categories=["L", "N"], include_characters=" .,@<>()\"\\;:'"), max_size=20
)
ATOM = st.text(st.sampled_from("abcXYZ019-_+'"), min_size=1, max_size=10)


@given(st.lists(st.tuples(ATOM, ATOM, NAME.map(lambda name: " ".join(name.split())))))
def test_what_is_written_is_read_and_others_read_it_too(rows: list[tuple[str, str, str]]) -> None:
    boxes = [Mailbox(local, f"{domain}.example", name) for local, domain, name in rows]
    text = ", ".join(map(str, boxes))
    assert mailboxes(text.encode()) == boxes
    theirs = getaddresses([text])
    if rows:
        assert theirs == [(each.name, each.address) for each in boxes]


@pytest.mark.parametrize(
    "bit",
    ['"', "(", "\\", "[", "[\\[", "<", "=?", "=?x?q?", "a@", ",", ":", ".", " ", "(\\(", '"\\'],
)
def test_a_long_field_takes_time_in_proportion(bit: str) -> None:
    """Of a quadratic one this would take minutes."""
    mailboxes((bit * 100_000).encode())
