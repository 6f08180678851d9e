"""Faults across options of who may ask by HTTP, with the line they stand in."""

import pytest

from angarium.config.errors import Severity
from helpers.configurations import checked

LISTENER = "http_listener {{\nlisten 127.0.0.1:2081 {{\n{}\n}}\n}}"


def faults(text: str) -> list[tuple[int, str, Severity]]:
    return [
        (each.line, each.message, each.severity)
        for each in checked(text).faults
        if each.severity is not Severity.NOTE
    ]


def one(options: str) -> tuple[int, str, Severity]:
    [found] = faults(LISTENER.format(options))
    return found


def test_where_nobody_could_say_who_he_is_the_file_is_refused() -> None:
    assert one("enable_authentication = true") == (
        3, "nobody can say by HTTP who he is, so nothing would be answered", Severity.ERROR
    )  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        'enable_authentication = true authplainparameters = [ uri = "file:///users" ]',
        "enable_authentication = true use_ssl = true tls_certificate = /pem tls_client_ca = /ca "
        "tls_verified_peer_is_authorized = true",
        "enable_authentication = false",
        "enable_authentication = true peer 192.0.2.0/24 "
        '{ authplainparameters = [ uri = "file:///users" ] }',
    ],
)
def test_what_makes_sense_has_nothing_to_say(options: str) -> None:
    assert faults(LISTENER.format(options)) == []


def test_other_servers_of_passwords_are_not_asked_by_http() -> None:
    line, message, severity = one(
        'enable_authentication = true authplainparameters = [ uri = "auth_ds://users" ]'
    )
    assert (line, severity) == (3, Severity.ERROR)
    assert "nobody is known by 'auth_ds://users'" in message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ('authplainparameters = [ uri = "file:///users" ]', "whatever passwords there are"),
        ("tls_verified_peer_is_authorized = true", "whatever certificates they show"),
        ("tls_certificate = /pem", "speaks no TLS"),
    ],
)
def test_what_has_no_effect_alone_is_told(options: str, words: str) -> None:
    line, message, severity = one(options)
    assert (line, severity) == (3, Severity.WARNING)
    assert words in message


def test_tls_of_http_has_a_certificate_and_knows_whom_it_requires() -> None:
    assert (
        one("use_ssl = true")[1] == "use_ssl has no certificate: every connection would be closed"
    )
    options = "use_ssl = true tls_certificate = /pem tls_verify_mode = require"
    assert one(options)[1] == "certificates of clients are required, and none counts"


def test_other_listeners_are_not_meant() -> None:
    text = 'esmtp_listener { listen :25 { tls_certificate = "/pem" } }'
    assert faults(text) == []
