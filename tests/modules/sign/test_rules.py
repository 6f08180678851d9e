"""Who signs, and how."""

from pathlib import Path

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.mail.auth.covered import Covered
from angarium.mail.auth.sign import Style
from angarium.modules.sign.keyring import Keyring
from angarium.modules.sign.rules import Rule, Rules, author, canon, chosen, fitting, hash_of
from angarium.policy.mail import Mail
from helpers.guards import Place
from helpers.signing import key


def rule(folder: Path, selector: str, ring: Keyring | None = None) -> Rule:
    ring = ring or Keyring(Place(folder, "").means(), 1, 1.0, 1.0)
    return Rule("", selector, "/keys/%{d}/%{s}", "", Style(), Covered.of(), ring)


async def test_the_nearest_rule_counts(tmp_path: Path) -> None:
    general = rule(tmp_path, "all")
    own = {
        name: rule(tmp_path, name, general.ring)
        for name in ("a.example", "*.a.example", "*.example", "*.b.example")
    }
    rules = Rules(general, own)
    for domain, selector in {
        "a.example": "a.example",
        "x.a.example": "*.a.example",
        "y.x.a.example": "*.a.example",
        "b.example": "*.example",
        "example": "all",
        "other": "all",
        "": "all",
    }.items():
        assert rules.of(domain).selector == selector
    assert rules.rings == [general.ring]
    assert Rules(general, {}).of("a.example") is general
    assert general.path("a.example") == "/keys/a.example/all"


def mail(header: bytes) -> Mail:
    message = Message("joe@example.com", MemoryBody(header + b"\r\n"))
    return Mail(message, [Recipient("b@mx.example", "mx.example")])


@pytest.mark.parametrize(
    ("header", "domain"),
    [
        (b"From: Joe <joe@Example.COM>\r\n", "example.com"),
        (b"From: a@b.example\r\nSender: c@d.example\r\n", "d.example"),
        ("From: a@müller.example\r\n".encode(), "xn--mller-kva.example"),
        (b"From: a@../../etc/passwd\r\n", ""),
        (b"From: a@x/y.example\r\n", ""),
        (b"From: a@b..example\r\n", ""),
        (b"Subject: x\r\n", ""),
    ],
)
def test_the_author_is_a_name_of_dns_or_nobody(header: bytes, domain: str) -> None:
    assert author(mail(header)) == domain


async def test_a_condition_is_a_variable_of_message_or_connection(tmp_path: Path) -> None:
    plain = rule(tmp_path, "s")
    assert plain.lets(mail(b""))
    strict = Rule("", "s", "", "can_relay", Style(), plain.covered, plain.ring)
    assert not strict.lets(mail(b""))
    for where in ("variables", "session_variables"):
        one = mail(b"")
        getattr(one.message, where)["can_relay"] = ""
        assert strict.lets(one)


def test_a_style_is_made_to_fit_its_key_and_domain() -> None:
    style = Style(hash="sha1", identity="@mail.example.com")
    assert fitting(style, "example.com", key()) == style
    assert fitting(style, "example.com", key("ed25519")).hash == "sha256"
    for other in ("example.net", "ple.com", "x.mail.example.com"):
        assert fitting(style, other, key()).identity is None
    assert fitting(Style(identity="joe"), "joe", key()).identity is None


def test_words_of_options() -> None:
    assert (canon(None), canon("simple"), canon("relaxed")) == ("simple", "simple", "relaxed")
    assert (hash_of(None), hash_of("rsa-sha1"), hash_of("rsa-sha256")) == (
        "sha256", "sha1", "sha256",
    )  # fmt: skip
    assert (chosen(None, 1), chosen(0, 1), chosen(False, True)) == (1, 0, False)
