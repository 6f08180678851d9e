"""main.cf and master.cf as their manual pages have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.foreign.postfix_files import (
    endpoints,
    is_network,
    logical_lines,
    parameters,
    seconds_of,
    services,
)


def test_what_is_indented_continues_the_line_before() -> None:
    text = "a = 1,\n  # a comment in between\n\n\t2\nb = 3\n"
    assert list(logical_lines(text, "f")) == [("f:1", "a = 1, 2"), ("f:5", "b = 3")]


def test_the_last_of_two_counts() -> None:
    found = parameters("a = 1\na = 2\n", "f")
    assert (found["a"].text, found["a"].where) == ("2", "f:2")


def test_a_service_has_its_options() -> None:
    line = "submission inet n - y - - smtpd\n  -o smtpd_timeout=5s -o { x = y }\n"
    (service,) = services(line, "m")
    assert (service.name, service.type, service.command) == ("submission", "inet", "smtpd")
    assert service.overrides[0].name == "smtpd_timeout"
    assert service.overrides[0].text == "5s"


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [("5", "d", 432000), ("300s", "d", 300), ("4h", "s", 14400), ("soon", "s", None)],
)
def test_times_have_the_unit_of_their_parameter(text: str, unit: str, expected: int | None) -> None:
    assert seconds_of(text, unit) == expected


@pytest.mark.parametrize(
    ("name", "interfaces", "expected"),
    [
        ("smtp", "all", ["*:25"]),
        ("submission", "192.0.2.1, ::1", ["192.0.2.1:587", "[::1]:587"]),
        ("127.0.0.1:2525", "all", ["127.0.0.1:2525"]),
        ("[::1]:smtp", "all", ["[::1]:25"]),
        ("smtp", "loopback-only", ["127.0.0.1:25"]),
    ],
)
def test_a_service_listens_where_the_interfaces_are(
    name: str, interfaces: str, expected: list[str]
) -> None:
    assert endpoints(name, interfaces) == expected


def test_networks_are_told_from_tables() -> None:
    assert is_network("10.0.0.0/8")
    assert is_network("[2001:db8::]/32")
    assert not is_network("hash:/etc/postfix/network_table")


@given(st.text())
def test_any_text_has_parameters_and_services(text: str) -> None:
    parameters(text, "f")
    services(text, "f")
