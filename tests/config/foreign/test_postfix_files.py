"""main.cf and master.cf as their manual pages have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.foreign.postfix_files import (
    arguments,
    endpoints,
    logical_lines,
    parameters,
    seconds_of,
    services,
    table,
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
    assert (service.overrides[1].name, service.overrides[1].text) == ("x", "y")


def test_what_is_in_braces_is_one_word() -> None:
    assert arguments("-o { a = b, {c d} } -v -oe=f") == ["-o", "a = b, {c d}", "-v", "-oe=f"]


def test_a_table_has_keys_and_values() -> None:
    text = "# none\na.example\tsmtp:[x]:25\nb.example\n  c\n"
    assert list(table(text, "t")) == [
        ("t:2", "a.example", "smtp:[x]:25"),
        ("t:3", "b.example", "c"),
    ]


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
        ("smtp", "loopback-only", ["127.0.0.1:25", "[::1]:25"]),
        ("smtp", "[2001:db8::1]", ["[2001:db8::1]:25"]),
    ],
)
def test_a_service_listens_where_the_interfaces_are(
    name: str, interfaces: str, expected: list[str]
) -> None:
    assert endpoints(name, interfaces) == expected


@given(st.text())
def test_any_text_has_parameters_and_services(text: str) -> None:
    parameters(text, "f")
    services(text, "f")
