import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.modules.lua.api.encoding import base64_decode, base64_encode, qp_decode, qp_encode
from angarium.modules.lua.errors import ScriptError
from helpers.snippets import run


def test_base64_goes_there_and_back() -> None:
    assert run('return msys.base64.encode("any carnal pleas")') == b"YW55IGNhcm5hbCBwbGVhcw=="
    assert run('return msys.base64.decode("YW55IGNhcm5hbCBwbGVhcw==")') == b"any carnal pleas"
    assert run('return msys.base64.decode("YQ\\r\\n==\\n")') == b"a"


def test_base64_is_folded_at_76_characters() -> None:
    folded = run('return msys.base64.encode(string.rep("x", 60), true)')
    assert [len(line) for line in folded.split(b"\r\n")] == [76, 4, 0]
    assert b"\n" not in run('return msys.base64.encode(string.rep("x", 60), false)')


def test_base64_converts_to_a_charset_and_back() -> None:
    assert run('return msys.base64.encode("\\195\\164", false, "iso-8859-1")') == b"5A=="
    assert run('return msys.base64.decode("5A==", "iso-8859-1")') == "ä".encode()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('msys.base64.decode("a$b=")', "not base64"),
        ('msys.base64.decode("YQ=")', "not base64"),
        ('msys.base64.decode("5A==", "utf-16-nonsense")', "charset 'utf-16-nonsense' is not known"),
        ('msys.base64.encode("\\226\\130\\172", false, "us-ascii")', "cannot be converted"),
        ('msys.qp.decode("a=ZZ")', "not quoted-printable"),
        ("msys.base64.encode()", "string expected"),
    ],
)
def test_what_cannot_be_converted_is_an_error(call: str, said: str) -> None:
    with pytest.raises(ScriptError, match=said):
        run(f"return {call}")


def test_quoted_printable_keeps_line_ends() -> None:
    assert run('return msys.qp.encode("a=b\\r\\nc \\r\\n")') == b"a=3Db\r\nc=20\r\n"
    assert run('return msys.qp.decode("a=3Db=\\r\\nc=20\\r\\n")') == b"a=bc \r\n"


def test_quoted_printable_doubles_dots_at_lines_it_made() -> None:
    text = "x" * 75 + "." * 20
    plain = run(f'return msys.qp.encode("{text}")')
    stuffed = run(f'return msys.qp.encode("{text}", "utf-8", true)')
    assert b"=\r\n." in plain
    assert b"=\r\n.." not in plain.replace(b"=\r\n....", b"")
    assert len(stuffed) == len(plain) + 1
    assert run('return msys.qp.encode(".a", "", true)') == b".a"


def test_quoted_printable_of_another_charset() -> None:
    assert run('return msys.qp.encode("\\195\\164", "iso-8859-1")') == b"=E4"
    assert run('return msys.qp.decode("=E4", "iso-8859-1")') == "ä".encode()


@given(st.binary(max_size=300))
def test_both_encodings_lose_nothing(octets: bytes) -> None:
    assert base64_decode(base64_encode(octets, fold=True)) == octets
    encoded = qp_encode(octets)
    assert qp_decode(encoded) == octets
    assert all(len(line) <= 76 for line in encoded.splitlines())


def test_domains_go_to_the_form_of_dns_and_back() -> None:
    assert run('return msys.idn.to_idn("b\\195\\188cher.example")') == b"xn--bcher-kva.example"
    assert run('return msys.idn.to_utf8("xn--bcher-kva.example")') == "bücher.example".encode()
    assert run('return msys.idn.to_idn("_dmarc.Example.com.")') == b"_dmarc.example.com"
    assert run('return msys.idn.to_utf8("plain.example")') == b"plain.example"


def test_what_is_no_domain_is_nil_and_a_reason() -> None:
    assert run('return msys.idn.to_idn("a..b")') == [None, b"'a..b' is no domain"]
    nothing, said = run('return msys.idn.to_utf8("xn--\\255")')
    assert nothing is None
    assert b"is no domain" in said
