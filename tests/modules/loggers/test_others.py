"""What the loggers of other servers' lines have in common."""

from pathlib import Path

import pytest

from angarium.events.schema import Delivery, TransientFailure
from angarium.modules.loggers.others import Others, Texts, chosen, code_of, named, port_of
from angarium.modules.loggers.places import Places
from helpers.streams import delivery, reception, rejection


@pytest.mark.parametrize(
    ("text", "otherwise", "code"),
    [
        ("550 5.1.1 no user", "5.0.0", "5.1.1"),
        ("550 no user", "5.0.0", "5.0.0"),
        ("450 4.2.1 of 5.1.1", "5.0.0", "5.0.0"),
        ("250 2.0.0 queued as 4.5.6", "2.0.0", "2.0.0"),
        ("at 192.5.1.1", "5.0.0", "5.0.0"),
    ],
)
def test_a_code_is_found_where_its_class_is_right(text: str, otherwise: str, code: str) -> None:
    assert code_of(text, otherwise) == code


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [("192.0.2.1:25", "25"), ("[2001:db8::1]:587", "587"), ("2001:db8::1", ""), ("", "")],
)
def test_the_port_of_an_endpoint(endpoint: str, port: str) -> None:
    assert port_of(endpoint) == port


def test_the_address_a_refusal_is_about() -> None:
    assert named(rejection(), "mailfrom") == ""


def test_transient_failures_are_there_unless_turned_off() -> None:
    texts: dict[type, Texts] = {
        Delivery: lambda event: ["d"],
        TransientFailure: lambda event: ["t"],
    }
    assert list(chosen(texts, None)) == list(chosen(texts, True)) == [Delivery, TransientFailure]
    assert list(chosen(texts, False)) == [Delivery]


def test_what_has_no_text_makes_no_line(tmp_path: Path) -> None:
    made = Others("log", Places(tmp_path), {Delivery: lambda event: ["a\nb", "c"]}, "%S ")
    made.take([reception(1), delivery(1, at=101.0), delivery(2, at=102.9)])
    made.logs[0].flush()
    assert (tmp_path / "log").read_text() == "41 a\\nb\n41 c\n42 a\\nb\n42 c\n"
