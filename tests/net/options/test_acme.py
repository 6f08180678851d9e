"""Values of the stanza acme, and which files are waited for."""

from pathlib import Path

import pytest

from angarium.config.load import load_text
from angarium.net.options.acme import Contact, DnsName, Https, awaited, is_coming


@pytest.mark.parametrize(
    ("text", "name"),
    [("MX.B.Test.", "mx.b.test"), ("xn--bcher-kva.test", "xn--bcher-kva.test"), ("a", "a")],
)
def test_a_name_is_in_lower_case(text: str, name: str) -> None:
    assert DnsName().parse(text) == name


@pytest.mark.parametrize(
    "text",
    ["", "*.b.test", "a_b.test", "-a.test", "a..b", "bücher.test", "a b", "a." * 200, "[::1]"],
)
def test_what_cannot_be_proved_by_http_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"host name|cannot be proved"):
        DnsName().parse(text)


def test_a_contact_is_an_address_with_or_without_its_scheme() -> None:
    assert Contact().parse("mailto:a@b.test") == Contact().parse("a@b.test") == "a@b.test"
    for wrong in ("", "a", "a@b@c", "a@b,c@d", "a@b?cc=d", "mailto:", "a @b"):
        with pytest.raises(ValueError, match="no address"):
            Contact().parse(wrong)


def test_an_authority_is_asked_by_https_only() -> None:
    assert Https().parse("https://ca.test:14000/dir") == "https://ca.test:14000/dir"
    for wrong in ("http://ca.test/dir", "ca.test", "https://", "https://a:b@ca.test/"):
        with pytest.raises(ValueError, match="no URL such as"):
            Https().parse(wrong)


def test_a_file_is_waited_for_as_long_as_it_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    text = 'acme "{name}" {{ directory = "https://ca.test/" names = a.test {more} }}\n'
    found = awaited(
        load_text(
            text.format(name="a", more=f'certificate = "{path}" terms_agreed = true')
            + text.format(name="b", more='certificate = "/b.pem" terms_agreed = true')
        )
    )
    assert found == {str(path), "/b.pem"}
    assert is_coming(str(path), found)
    assert not is_coming(str(tmp_path / "c.pem"), found)
    path.touch()
    assert not is_coming(str(path), found)
