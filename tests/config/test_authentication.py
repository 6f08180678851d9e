"""Mechanisms of AUTH are named in one option, and who checks them in another."""

import pytest

from angarium.config.authentication import OPTIONS, mechanisms
from angarium.config.load import check
from angarium.config.tree import Snapshot
from angarium.inbound.offers import PARAMETERS

FILE = '[ uri = "file:///users" ]'


def faults(text: str) -> list[str]:
    checked = check("main", Snapshot("main", (), {"main": text.encode()}, {}))
    return [f"{each.severity.name} {each.line} {each.message}" for each in checked.faults]


def listener(inside: str) -> str:
    return f'esmtp_listener {{ listen "127.0.0.1:2525" {{\n{inside}\n}} }}'


def test_who_is_named_on_both_sides_is_fine() -> None:
    both = f'smtp_extensions = ( "AUTH PLAIN LOGIN" )\nauthplainparameters = {FILE}\n'
    assert faults(listener(f"{both}authloginparameters = {FILE}")) == []
    assert faults(listener(f'smtp_extensions = ( "AUTH" )\nauthscramparameters = {FILE}')) == []


def test_a_mechanism_which_nobody_checks_is_told() -> None:
    assert faults(listener('smtp_extensions = ( "AUTH PLAIN" )')) == [
        "WARNING 2 AUTH PLAIN is not offered: nobody is named who checks it"
    ]
    assert faults(listener('smtp_extensions = ( "AUTH PLAIN" )\nalways_allow = true')) == []


def test_a_mechanism_nobody_knows_is_told() -> None:
    assert faults(listener('smtp_extensions = ( "AUTH GSSAPI" )')) == [
        "WARNING 2 the mechanism GSSAPI of AUTH is not known, and not offered"
    ]


def test_who_checks_what_is_not_offered_is_told() -> None:
    assert faults(listener(f"authplainparameters = {FILE}")) == [
        "WARNING 2 authplainparameters has no effect: AUTH PLAIN is not in smtp_extensions"
    ]


def test_the_console_offers_nothing_by_smtp() -> None:
    inside = "authloginparameters = " + FILE
    assert faults(f'control_listener {{ listen "/tmp/x" {{\n{inside}\n}} }}') == []


@pytest.mark.parametrize(
    ("extension", "found"),
    [
        ("AUTH", []),
        ("auth plain", ["PLAIN"]),
        ("AUTH=LOGIN", ["LOGIN"]),
        ("AUTH PLAIN LOGIN", ["PLAIN", "LOGIN"]),
        ("AUTHX", None),
        ("", None),
        ("STARTTLS", None),
    ],
)
def test_an_extension_names_mechanisms(extension: str, found: list[str] | None) -> None:
    assert mechanisms(extension) == found


def test_the_options_are_those_which_sessions_read() -> None:
    known = {name: option for option, names in PARAMETERS.items() for name in names}
    assert known == OPTIONS
