"""What Momentum has and we do not yet."""

import pytest

from angarium.config.planned import REFUSED, planned, refused


def test_options_are_known_by_their_stanzas() -> None:
    assert planned().has("tls", "domain")
    assert not planned().has("tls", "esmtp_listener")
    assert planned().has("use_ssl", "listen")
    assert planned().has("headerlist", "opendkim")
    assert not planned().has("nonsense", "global")


def test_modules_are_known() -> None:
    assert {"adaptive", "opendkim", "scriptlet", "curfew", "spamassassin"} <= set(planned().stanzas)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("tls", "required", True),
        ("tls", "IFAVAILABLE", False),
        ("use_ssl", "true", True),
        ("use_ssl", "false", False),
        ("enable_authentication", "on", True),
        ("tls_ciphers", "DEFAULT", False),
        ("tls", ("required",), True),
    ],
)
def test_protection_is_not_passed_over(option: str, value: object, expected: bool) -> None:
    assert refused(option, value) is expected


def test_what_is_refused_is_an_option_of_momentum() -> None:
    assert set(REFUSED) <= set(planned().options)
