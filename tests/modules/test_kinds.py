"""The types of values which only modules have."""

import re

import pytest

from angarium.config.kinds import Kind, Raw
from angarium.modules.kinds import DirectPlace, LogPlace, Statement, Windows, WindowsKind


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (LogPlace(), "/var/log/a", "/var/log/a"),
        (LogPlace(), "jlog:///var/log/a=>reader", "jlog:///var/log/a=>reader"),
        (LogPlace(), "pipe:///bin/cat?arg1=a", "pipe:///bin/cat?arg1=a"),
        (Statement(), "SELECT a -- b\n\tFROM c", "SELECT a -- b\n\tFROM c"),
        (WindowsKind(), "300,6", Windows(300, 6)),
        (WindowsKind(), "300, 6", Windows(300, 6)),
        (WindowsKind(), ("3", "20"), Windows(3, 20)),
    ],
)
def test_a_value_of_a_kind(kind: Kind[object], raw: Raw, value: object) -> None:
    assert kind.parse(raw) == value
    assert kind.parse(str(value)) == value
    assert kind.schema()
    assert str(kind)


@pytest.mark.parametrize(
    ("kind", "raw", "words"),
    [
        (LogPlace(), "", "says no place"),
        (LogPlace(), "gopher://a", "gopher:// is no kind of log destination: file, jlog"),
        (DirectPlace(), "pipe:///bin/cat", "cannot go to a program"),
        (LogPlace(), ("a",), "one value is expected"),
        (Statement(), "SELECT\0", "may not stand in it"),
        (WindowsKind(), "300", "seconds and a number of windows"),
        (WindowsKind(), "0,6", "seconds and a number of windows"),
        (WindowsKind(), ("3", "20", "1"), "seconds and a number of windows"),
        (WindowsKind(), {"a": "b"}, "one value is expected"),
    ],
)
def test_what_is_no_value_is_refused(kind: Kind[object], raw: Raw, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        kind.parse(raw)
