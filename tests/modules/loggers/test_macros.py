"""Formats of lines: what each macro stands for, and what is no macro."""

import time

import pytest
from msgspec.structs import replace

from angarium.events.format import microseconds, seconds
from angarium.events.schema import Discard, Event, Rejection
from angarium.modules.loggers.macros import Format, sanitizer
from helpers.streams import delivery, permanent, reception, rejection, transient

IN = reception(
    0x0102, at=1339007869.25, source="[2001:db8::1]:4000", context={"campaign": "may", "a b": "x"}
)
OUT = delivery(
    0x0102, at=1339007871.5, attempt=2, received_at=1339007869.25, inward=7, protocol="ecstream",
    pathway="in", context={"campaign": "may"}, reply="250 2.0.0 taken\r\nby us",
)  # fmt: skip
LATER = transient(1)
FAILED = permanent(2, remote="")
REFUSED = replace(
    rejection(at=1339007869.0),
    conn_vars={"ehlo_domain": "c.test"},
    mess_vars={"mailfrom_localpart": "a", "mailfrom_domain": "b.test"},
)
NOBODY, ONE, TWO, SEVEN, EIGHT = (f"00/0{each}-00000-00000000" for each in (0, 1, 2, 7, 8))
MINE = "01/02-00000-00000000"


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def line(form: str, event: Event, **how: object) -> str:
    made = Format(form, **how)  # type: ignore[arg-type]  # as the test says
    return made(event, seconds(event.at))


@pytest.mark.parametrize(
    ("macro", "values"),
    [
        ("%A", ("", "", "", "", "")),
        ("%b", ("default", "default", "default", "default", "")),
        ("%B", ("10", "10", "10", "10", "0")),
        ("%BI", (MINE, MINE, ONE, TWO, NOBODY)),
        ("%c", ("", "", "Transient Failure", "Invalid Recipient", "")),
        ("%C", ("", "", "70", "10", "")),
        ("%CI", (SEVEN, SEVEN, NOBODY, NOBODY, SEVEN)),
        ("%OC", ("", EIGHT, EIGHT, EIGHT, "")),
        ("%d", ("example.com",) * 4 + ("",)),
        ("%g", ("default",) * 4 + ("",)),
        ("%H", ("2001:db8::1", "192.0.2.1", "192.0.2.1", "", "192.0.2.9")),
        ("%h{Subject}", ("",) * 5),
        ("%i", (MINE, MINE, ONE, TWO, NOBODY)),
        ("%m", ("info",) * 4 + ("a",)),
        ("%M", ("example.org",) * 4 + ("b.test",)),
        ("%n", ("", r"250 2.0.0 taken\r\nby us", "451 later", "550 no", "relaying denied")),
        ("%N", ("0", "2", "0", "0", "0")),
        ("%p", ("esmtp", "ecstream", "unknown", "unknown", "unknown")),
        ("%P", ("default", "in", "", "", "default")),
        ("%PG", ("", "", "", "", "default")),
        ("%r", ("bob",) * 4 + ("",)),
        ("%R", ("example.com",) * 4 + ("",)),
        ("%s", ("", "", "during RCPT TO", "after RCPT TO", "")),
        ("%S", ("22", "22", "4", "5", "22")),
        ("%t", ("1339007869", "1339007871", "101", "101", "1339007869")),
        ("%t{%Y-%m-%d}", ("2012-06-06",) * 2 + ("1970-01-01",) * 2 + ("2012-06-06",)),
        ("%T", ("0.00", "2.25", "1.00", "1.00", "0.00")),
        ("%T{3}", ("0.000", "2.250", "1.000", "1.000", "0.000")),
        ("%U", ("",) * 5),
        ("%us{3}", ("1339007869.250", "1339007871.500", "101.000", "101.000", "1339007869.000")),
        ("%vctx_mess{campaign}", ("may", "may", "", "", "")),
        ("%vctx_mess{a b}", ("x", "", "", "", "")),
        ("%{vctx_mess:campaign}", ("may", "may", "", "", "")),
        ("%vctx_conn{ehlo_domain}", ("", "", "", "", "c.test")),
        ("%mx", ("",) * 5),
    ],
)  # fmt: skip
def test_what_each_macro_stands_for(macro: str, values: tuple[str, ...]) -> None:
    found = tuple(line(macro, event) for event in (IN, OUT, LATER, FAILED, REFUSED))
    assert found == values


def test_the_example_of_a_refused_connection() -> None:
    form = (
        "%p @ %s @ %BI @ %A @ %U @ %n @ %h{Subject} @ %r @ %R @ %m @ %M @ %i @ %t @"
        " %t{%Y-%m-%d} @ %H @ %mx @ %S"
    )
    early = Rejection(
        1339007869.0, "10.79.11.157:4000", "10.79.11.1:25", 7, "default", "default", 0, 550, "core",
        {}, {}, "relaying denied",
    )  # fmt: skip
    assert line(form, early) == (
        f"unknown @  @ {NOBODY} @  @  @ relaying denied @  @  @  @  @  @ {NOBODY} @ 1339007869 @"
        " 2012-06-06 @ 10.79.11.157 @  @ 22"
    )


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("plain", "plain"),
        ("%r@%R", "bob@example.com"),
        ("%r_%R", "bob_example.com"),
        ("%r:%R", "bob:example.com"),
        ("%N.%B", "0.10"),
        ("100 % of %r%", "100 % of bob%"),
        ("%mydate|", "|"),
        ("%T{x}|%us{12}|", "||"),
        ("", ""),
    ],
)
def test_a_name_goes_on_as_far_as_letters_do(form: str, said: str) -> None:
    assert line(form, IN) == said


def test_times_have_microseconds_where_they_are_wanted() -> None:
    form = Format("%t %t{[%S %T %%T %H]}", hires=True)
    assert form(IN, microseconds(IN.at)) == "1339007869250000 [49.250000 18:37:49.250000 %T 18]"
    later = replace(IN, at=IN.at + 0.5)
    assert form(later, microseconds(later.at)).endswith(" [49.750000 18:37:49.750000 %T 18]")


@pytest.mark.effect("custom_logger.namespace")
def test_macros_of_tls_are_found_where_their_namespace_is_named() -> None:
    form = "%outbound_tls|%outbound_tls_cipher|%{outbound_tls:outbound_tls}"
    assert line(form, OUT) == "||SMTP"
    assert line(form, OUT, namespaces=("custom_logger", "outbound_tls")) == "SMTP||SMTP"


SECURE = replace(
    OUT,
    tls="required\tTLSv1.3\tTLS_AES_256_GCM_SHA384\t256\t250\tverified"
    "\tCN=An \u0085 Authority\tCN=mx",
)


@pytest.mark.parametrize(
    ("macro", "values"),
    [
        ("outbound_tls", ("TLS", "SMTP", "unknown", "unknown")),
        ("outbound_tls_type", ("required", "no", "no", "no")),
        ("outbound_tls_protocol", ("TLSv1.3", "", "", "")),
        ("outbound_tls_cipher", ("TLS_AES_256_GCM_SHA384", "", "", "")),
        ("outbound_tls_cipher_algbits", ("256", "", "", "")),
        ("outbound_tls_cipher_usebits", ("250", "", "", "")),
        ("outbound_tls_verified", ("verified", "", "", "")),
        ("outbound_tls_issuer", (r"CN=An \x85 Authority", "", "", "")),
        ("outbound_tls_subject", ("CN=mx", "", "", "")),
        ("local_ip", ("192.0.2.1", "192.0.2.1", "", "2001:db8::1")),
        ("nothing", ("", "", "", "")),
    ],
)
def test_tls_of_an_attempt_has_its_macros(macro: str, values: tuple[str, ...]) -> None:
    form = f"%{{outbound_tls:{macro}}}"
    assert tuple(line(form, each) for each in (SECURE, LATER, FAILED, IN)) == values


@pytest.mark.parametrize(
    ("how", "text", "clean"),
    [
        ("special_characters", "a\tb\\\n", r"a\tb\\\n"),
        ("non_printable", "a\tb\x01", "a9b1"),
        ("tr/ /_/", "a b c", "a_b_c"),
        ("tr/a-c_/A-C-/", "abcd_", "ABCd-"),
        ("tr/abc/x/", "abcd", "xxxd"),
        (r"tr/\/\-/|+/", "a/b-c", "a|b+c"),
        ("special_characters,tr/ /_/", "a b\n", r"a_b\n"),
        ("tr/,/;/, special_characters", "a,b\n", r"a;b\n"),
        ("tr/a//", "abc", "abc"),
        ("", "a b", "a b"),
    ],
)
def test_data_of_others_is_made_harmless(how: str, text: str, clean: str) -> None:
    assert sanitizer(how)(text) == clean


@pytest.mark.parametrize("how", ["all", "tr/a", "tr/a/b", "special_characters non_printable"])
def test_what_is_no_way_to_do_so_is_refused(how: str) -> None:
    with pytest.raises(ValueError, match="is none of"):
        sanitizer(how)


def test_only_what_others_say_is_made_harmless() -> None:
    clean = sanitizer("tr/0-9/#/")
    event = replace(IN, rcpt="b0b@example.com", context={"k": "1"})
    assert line("5 %r %B %vctx_mess{k}", event, clean=clean) == "5 b#b 10 #"


def test_a_line_stays_a_line() -> None:
    event = replace(OUT, reply="250 a\nb\x85c\u2028d\\e")
    assert line("%n", event) == r"250 a\nb\x85c\u2028d\e"


def test_events_without_an_attempt_have_what_they_have() -> None:
    dropped = Discard(101.0, 5, 5, 0, 0, "b@c", "", "c", 9, "g", "b", 100.0, "550 dropped")
    assert line("%i %n %d %C", dropped) == "00/05-00000-00000000 550 dropped c "
