"""Commands, paths and parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.message import Notify, Ret
from angarium.core.reply import Reply
from angarium.wire.smtp_grammar import (
    BAD_AUTH,
    BAD_BASE64,
    BAD_MAIL,
    BAD_PARAMETER,
    BAD_RCPT,
    NEEDS_UTF8,
    UNKNOWN_PARAMETER,
    UNRECOGNIZED,
    Auth,
    Bdat,
    Hello,
    Mail,
    Rcpt,
    Syntax,
    decode_xtext,
)

STRICT = Syntax()


def mail(argument: str, syntax: Syntax = STRICT) -> object:
    return syntax.parse(f"MAIL FROM:{argument}".encode())


def rcpt(argument: str, syntax: Syntax = STRICT) -> object:
    return syntax.parse(f"RCPT TO:{argument}".encode())


@pytest.mark.parametrize(
    ("path", "address", "domain"),
    [
        ("<>", "", ""),
        ("<a@b.example>", "a@b.example", "b.example"),
        (" <a@b.example>", "a@b.example", "b.example"),
        ("<A.b+c=d@B.Example>", "A.b+c=d@B.Example", "b.example"),
        ('<"a b@c"@d.example>', '"a b@c"@d.example', "d.example"),
        ('<"a\\"b"@d.example>', '"a\\"b"@d.example', "d.example"),
        ("<@x.example,@y.example:a@b.example>", "a@b.example", "b.example"),
        ("<a@[192.0.2.1]>", "a@[192.0.2.1]", "[192.0.2.1]"),
        ("<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", "[ipv6:2001:db8::1]"),
        ("<postmaster>", "postmaster", ""),
        ("<a@localhost>", "a@localhost", "localhost"),
        ("<" + "v" * 200 + "@b.example>", "v" * 200 + "@b.example", "b.example"),
    ],
)
def test_paths(path: str, address: str, domain: str) -> None:
    command = mail(path)
    assert isinstance(command, Mail)
    assert (command.address, command.domain) == (address, domain)


@pytest.mark.parametrize(
    "path",
    [
        "", "a@b.example", "<a@b.example", "<a@>", "<@b.example>", "<a@b@c.example>", "<a b@c>",
        "< a@b.example>", "<a@b.example >", "<a@b.example> ", "<a@b.example.>", "<a@-b.example>",
        "<a@b..example>", "<a..b@c.example>", "<.a@b.example>", "<a.@b.example>", "<a@[1.2]>",
        "<a\x00@b.example>", "<a\r@b.example>", "<a\n@b.example>", '<"a@b.example>', "<<a@b.e>>",
        "<a@b.example>SIZE=1", "<a@b_\x7f.example>", "<" + "a@" + "b" * 300 + ">", "<\u0085a@b.c>",
    ],
)  # fmt: skip
def test_what_is_no_path(path: str) -> None:
    assert mail(path) == BAD_MAIL
    assert rcpt(path) == BAD_RCPT


def test_a_recipient_is_never_null() -> None:
    assert rcpt("<>") == BAD_RCPT


@pytest.mark.parametrize("path", ["<a..b@c.example>", "<a.@b.example>"])
def test_dots_are_allowed_where_the_rules_are_relaxed(path: str) -> None:
    assert isinstance(rcpt(path, Syntax(strict=False)), Rcpt)
    assert rcpt(path) == BAD_RCPT


@pytest.mark.parametrize("path", ["< a@b.example>", "<a@b.example >", "<\ta@b.example  >", "< >"])
def test_blanks_in_brackets_are_allowed_where_padding_is(path: str) -> None:
    assert isinstance(mail(path, Syntax(padded=True)), Mail)
    assert mail(path) == BAD_MAIL


def test_blanks_at_the_end_are_allowed_where_trailing_is() -> None:
    assert isinstance(mail("<a@b.example>  ", Syntax(trailing=True)), Mail)
    assert isinstance(rcpt("<a@b.example> \t", Syntax(trailing=True)), Rcpt)
    assert mail("<a@b.example> \t") == BAD_MAIL


def test_the_parameters_of_mail() -> None:
    command = mail("<a@b.example> SIZE=1000 body=8bitmime RET=hdrs ENVID=QQ+3D1 SMTPUTF8")
    assert isinstance(command, Mail)
    assert (command.size, command.body, command.utf8) == (1000, "8BITMIME", True)
    assert (command.ret, command.envid) == (Ret.HDRS, "QQ+3D1")


def test_the_parameters_of_rcpt() -> None:
    command = rcpt("<a@b.example> NOTIFY=success,FAILURE,DELAY ORCPT=rfc822;a+2Bx@b.example")
    assert isinstance(command, Rcpt)
    assert command.notify == Notify.SUCCESS | Notify.FAILURE | Notify.DELAY
    assert command.orcpt == "rfc822;a+2Bx@b.example"
    command = rcpt("<a@b.example> NOTIFY=NEVER")
    assert isinstance(command, Rcpt)
    assert command.notify == Notify.NEVER


@pytest.mark.parametrize(
    ("parameters", "reply"),
    [
        ("SIZE", BAD_PARAMETER),
        ("SIZE=x", BAD_PARAMETER),
        ("SIZE=\u0661", BAD_PARAMETER),
        ("SIZE=" + "1" * 21, BAD_PARAMETER),
        ("BODY=9BIT", BAD_PARAMETER),
        ("RET=SOME", BAD_PARAMETER),
        ("ENVID=", BAD_MAIL),
        ("ENVID=a+zz", BAD_PARAMETER),
        ("ENVID=" + "x" * 101, BAD_PARAMETER),
        ("SMTPUTF8=1", BAD_PARAMETER),
        ("SIZE=1 SIZE=2", BAD_MAIL),
        ("=1", BAD_MAIL),
        ("AUTH=<>", UNKNOWN_PARAMETER),
        ("REQUIRETLS", UNKNOWN_PARAMETER),
        ("FROB=1", UNKNOWN_PARAMETER),
    ],
)
def test_faulty_parameters_of_mail(parameters: str, reply: Reply) -> None:
    assert mail(f"<a@b.example> {parameters}") == reply


@pytest.mark.parametrize(
    ("parameters", "reply"),
    [
        ("NOTIFY", BAD_PARAMETER),
        ("NOTIFY=NEVER,SUCCESS", BAD_PARAMETER),
        ("NOTIFY=SUCCESS,", BAD_PARAMETER),
        ("ORCPT=bob@b.example", BAD_PARAMETER),
        ("ORCPT=rfc822;a+b", BAD_PARAMETER),
        ("SIZE=1", UNKNOWN_PARAMETER),
        ("NOTIFY=NEVER NOTIFY=NEVER", BAD_RCPT),
    ],
)
def test_faulty_parameters_of_rcpt(parameters: str, reply: Reply) -> None:
    assert rcpt(f"<a@b.example> {parameters}") == reply


def test_addresses_in_utf8() -> None:
    assert mail("<bücher@b.example>") == NEEDS_UTF8
    command = mail("<bücher@bücher.example> SMTPUTF8")
    assert isinstance(command, Mail)
    assert (command.address, command.domain) == ("bücher@bücher.example", "xn--bcher-kva.example")
    assert isinstance(rcpt("<é@b.example> ORCPT=utf-8;é@b.example"), Rcpt)
    assert STRICT.parse(b"MAIL FROM:<\xff@b.example> SMTPUTF8") == BAD_MAIL


def test_verbs_are_case_insensitive() -> None:
    assert STRICT.parse(b"ehlo c.example ") == Hello("EHLO", "c.example")
    assert isinstance(STRICT.parse(b"mAIL fROM:<>"), Mail)
    assert STRICT.parse(b"bdat 12 last") == Bdat(12, last=True)


@pytest.mark.parametrize("name", ["a b", "a(b)", 'a"b', "a\x00b", "é", "<x>", "x" * 256])
def test_greetings_hold_nothing_that_breaks_a_header(name: str) -> None:
    assert isinstance(STRICT.parse(f"EHLO {name}".encode()), Reply)


@pytest.mark.parametrize("name", ["[192.0.2.1]", "[IPv6:::1]", "my_pc", "host.example", "a/b!c"])
def test_greetings_of_all_kinds_of_hosts(name: str) -> None:
    assert STRICT.parse(f"HELO {name}".encode()) == Hello("HELO", name)


@pytest.mark.parametrize("argument", ["", "x", "-1", "1 2", "1 FIRST", "9" * 16, "\u0661"])
def test_sizes_of_chunks(argument: str) -> None:
    assert isinstance(STRICT.parse(f"BDAT {argument}".encode()), Reply)


def test_xtext() -> None:
    assert decode_xtext("a+2Bb+3D") == "a+b="


@given(
    st.binary(max_size=60)
    | st.builds(
        lambda verb, rest: verb + rest,
        st.sampled_from([b"MAIL FROM:<", b"RCPT TO:<", b"BDAT ", b"EHLO ", b"MAIL FROM:<> ENVID="]),
        st.binary(max_size=40) | st.text(max_size=40).map(str.encode),
    )
)
def test_any_line_gives_a_command_or_a_reply(line: bytes) -> None:
    for syntax in (STRICT, Syntax(strict=False, padded=True, trailing=True)):
        result = syntax.parse(line)
        if isinstance(result, Reply):
            assert result.code >= 500
        elif isinstance(result, Mail | Rcpt):
            # What we print into a header must be one line and stay inside of its brackets.
            assert not set(result.address) & set("\r\n\0<") or result.address.startswith('"')
            assert "\n" not in result.address


def test_no_pattern_backtracks_for_long() -> None:
    """Each of these took exponential time in some mail server."""
    for line in (
        b"RCPT TO:<" + b"a." * 500 + b"@>",
        b'MAIL FROM:<"' + b"\\" * 1000,
        b"MAIL FROM:<" + b"@a," * 300 + b">",
        b"MAIL FROM:<>" + b" A=" * 300,
        b"RCPT TO:<" + b"@" * 1000 + b">",
        b"MAIL FROM:<" + b" " * 1000,
    ):
        assert isinstance(Syntax(strict=False, padded=True, trailing=True).parse(line), Reply)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"AUTH PLAIN", Auth("PLAIN")),
        (b"auth plain AHRpbQB0YW5zdGFhZnRhbnN0YWFm", Auth("PLAIN", b"\0tim\0tanstaaftanstaaf")),
        (b"AUTH SCRAM-SHA-256-PLUS =", Auth("SCRAM-SHA-256-PLUS", b"")),
        (b"AUTH EXTERNAL = ", Auth("EXTERNAL", b"")),
        (b"AUTH", BAD_AUTH),
        (b"AUTH ", BAD_AUTH),
        (b"AUTH PL\xc3\xa4IN", BAD_AUTH),
        (b"AUTH PLAIN  AAAA", BAD_AUTH),
        (b"AUTH PLAIN AAA", BAD_BASE64),
        (b"AUTH PLAIN A=A=", BAD_BASE64),
    ],
)
def test_auth_has_a_mechanism_and_perhaps_a_response(line: bytes, found: Auth | Reply) -> None:
    assert Syntax(auth=True).parse(line) == found


def test_without_auth_there_is_no_such_word_and_no_such_parameter() -> None:
    assert Syntax().parse(b"AUTH PLAIN") is UNRECOGNIZED
    assert Syntax().parse(b"MAIL FROM:<a@b.example> AUTH=<>") is UNKNOWN_PARAMETER


@pytest.mark.parametrize(
    ("value", "found"), [("<>", ""), ("e+2Bmc2@example.com", "e+mc2@example.com")]
)
def test_mail_says_who_has_submitted_it(value: str, found: str) -> None:
    """RFC 4954 section 5."""
    mail = Syntax(auth=True).parse(f"MAIL FROM:<a@b.example> AUTH={value}".encode())
    assert isinstance(mail, Mail)
    assert mail.auth == found


def test_mail_says_that_it_stays_secure() -> None:
    """RFC 8689 section 3."""
    mail = Syntax(tls=True).parse(b"MAIL FROM:<a@b.example> requiretls SIZE=1")
    assert isinstance(mail, Mail)
    assert mail.requires_tls
    assert Syntax(tls=True).parse(b"MAIL FROM:<a@b.example> REQUIRETLS=1") is BAD_PARAMETER


@pytest.mark.parametrize("value", ["", "=", "=a+b", "=a+0Db"])
def test_who_submitted_it_is_in_xtext(value: str) -> None:
    reply = Syntax(auth=True).parse(f"MAIL FROM:<a@b.example> AUTH{value}".encode())
    assert reply in (BAD_PARAMETER, BAD_MAIL)


def test_what_came_with_auth_is_not_shown() -> None:
    assert "secret" not in repr(Auth("PLAIN", b"\0tim\0secret"))
