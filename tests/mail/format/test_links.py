"""Hosts of links, hidden or not."""

import pytest

from angarium.mail.format.links import base_of, host_of, hosts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see http://www.Example.com/x, and HTTPS://b.test.", ["www.example.com", "b.test"]),
        ("www.example.com is enough", ["www.example.com"]),
        ("http://a.test http://a.test/2", ["a.test"]),
        ("http://user:secret@real.test:8080/x", ["real.test"]),
        ("http://good.test@evil.test/", ["evil.test"]),
        ("http://%65vil.test/", ["evil.test"]),
        ("http://192.0.2.7/", ["192.0.2.7"]),
        ("http://3221225991/ http://0xC0000207/", ["192.0.2.7"]),
        ("http://999.1.1.1/ http://localhost/ http://-.test/", []),
        ("http://bücher.test/", ["xn--bcher-kva.test"]),
        ("http:\\\\slash.test\\x", ["slash.test"]),
        ("nothing at all, not even a@b.test", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_link_leads_where_a_browser_goes(text: str, found: list[str]) -> None:
    assert hosts(text) == found


def test_in_html_references_are_read_and_a_scheme_may_be_missing() -> None:
    text = '<a href="ht&#116;p&#58;//hid&#x64;en.test/">x</a> <img src="//pic.test/a">'
    assert hosts(text, html=True) == ["hidden.test", "pic.test"]
    assert hosts("//pic.test") == []


@pytest.mark.parametrize("text", ["", "x", ".", "a..b", "a b.test", "x" * 300 + ".test", "%00.a"])
def test_what_is_no_host_is_none(text: str) -> None:
    assert host_of(text) == ""


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("www.example.com", "example.com"),
        ("example.com", "example.com"),
        ("www.example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("a.b.example.de", "example.de"),
    ],
)
def test_what_somebody_registered_is_the_base(name: str, base: str) -> None:
    assert base_of(name) == base


def test_a_long_text_is_read_in_time_that_grows_with_its_length() -> None:
    # A pattern which goes back over what it has read would need hours for it.
    assert hosts("http://" * 100_000 + "www." * 100_000) == []
    assert hosts("href=" + " " * 500_000, html=True) == []
