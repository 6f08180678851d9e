"""DNS from a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.asking import NameTrouble, NoSuchName, at_once
from angarium.mail.auth.zonefile import Zone, ZoneError

TEXT = r"""
; a zone as a server has it
$TTL 3600
$ORIGIN example.com.
@       3600 IN SOA ns hostmaster ( 1 2 3
                                    4 5 )
        IN   TXT  "v=spf1 mx; " "-all"      ; two strings
        TXT  "caf\233 \"x\""
        MX   10 mail
        MX   20 mail.example.net.
mail    300 A 192.0.2.1
        AAAA 2001:db8:0:0::1
www     IN CNAME mail
a.b     A 192.0.2.2
*.wild  A 192.0.2.3
loop    CNAME loop
slow    TIMEOUT
Key._domainkey TXT ( "v=DKIM1; "
   "p=abc" )
"""


def test_records_are_read() -> None:
    zone = Zone(TEXT)
    assert at_once(zone("Example.COM.", "TXT")) == (b"v=spf1 mx; -all", b'caf\xe9 "x"')
    assert at_once(zone("example.com", "MX")) == (
        (10, "mail.example.com"),
        (20, "mail.example.net"),
    )
    assert at_once(zone("mail.example.com", "AAAA")) == ("2001:db8::1",)
    assert at_once(zone("key._domainkey.example.com", "TXT")) == (b"v=DKIM1; p=abc",)


def test_aliases_are_followed_and_wildcards_stand_for_what_is_not_there() -> None:
    zone = Zone(TEXT)
    assert at_once(zone("www.example.com", "A")) == ("192.0.2.1",)
    assert at_once(zone("www.example.com", "CNAME")) == ("mail.example.com",)
    assert at_once(zone("x.y.wild.example.com", "A")) == ("192.0.2.3",)
    assert at_once(zone("x.wild.example.com", "TXT")) == ()


def test_what_stands_above_a_name_exists() -> None:
    zone = Zone(TEXT)
    assert at_once(zone("b.example.com", "A")) == ()
    for name in ("c.example.com", "example.net", "x.mail.example.com"):
        with pytest.raises(NoSuchName):
            at_once(zone(name, "A"))


@pytest.mark.parametrize("name", ["slow.example.com", "loop.example.com"])
def test_trouble_is_trouble(name: str) -> None:
    with pytest.raises(NameTrouble):
        at_once(Zone(TEXT)(name, "A"))


def test_names_are_whole_without_an_origin() -> None:
    zone = Zone("a.example TXT hello\nb.example. MX 1 mx.b.example")
    assert at_once(zone("a.example", "TXT")) == (b"hello",)
    assert at_once(zone("b.example", "MX")) == ((1, "mx.b.example"),)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a.example A 192.0.2", 1),
        ("\na.example MX x", 2),
        ("  A 192.0.2.1", 1),
        ("a.example", 1),
        ("a.example IN 5", 1),
        ('a.example TXT "x', 1),
        ("a.example TXT ( x", 1),
        ("$ORIGIN", 1),
    ],
)
def test_a_line_which_is_no_record_is_told_by_its_number(text: str, line: int) -> None:
    with pytest.raises(ZoneError, match=f"line {line}"):
        Zone(text)


@given(st.text('a.b AMXTCNE10"\\;()\n$@', max_size=60))
def test_any_text_is_a_zone_or_an_error(text: str) -> None:
    try:
        zone = Zone(text)
        at_once(zone("a.b", "A"))
    except (ZoneError, NoSuchName, NameTrouble):
        pass
