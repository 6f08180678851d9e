"""What a worker says of what is shared is bounded."""

from types import SimpleNamespace

import msgspec
import pytest

from angarium.console.question import QuestionError
from angarium.console.questions import shared as questions
from angarium.policy.shared.node import Shared
from helpers.clock import FakeClock


@pytest.fixture
def shared() -> Shared:
    return Shared(FakeClock())


def test_of_many_keys_those_come_which_are_counted_most(shared: Shared) -> None:
    series = shared.define_series("s", "string", 60, 2)
    for number in range(100):
        series.add(b"%03d" % number, number)
    worker = SimpleNamespace(shared=shared)
    found = questions.keys.function(worker, "s", "", 3)
    assert [each.key for each in found] == ["099", "098", "097"]
    with pytest.raises(QuestionError, match="no audit series"):
        questions.keys.function(worker, "t", "", 3)


def test_of_many_values_so_many_come_as_are_asked_for(shared: Shared) -> None:
    for number in range(100):
        shared.variables.set(b"%03d" % number, number)
    found = questions.values.function(SimpleNamespace(shared=shared), "share", "", 3)
    assert found == {"000": 0, "001": 1, "002": 2}


@pytest.mark.parametrize("value", [b"\xff", "ü".encode(), 1, 1.5, True])
def test_any_value_can_be_sent(shared: Shared, value: bytes | float) -> None:
    shared.variables.set(b"\xff", value)
    found = questions.values.function(SimpleNamespace(shared=shared), "share", "", 3)
    kind = questions.values.answer
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=kind) == found


def test_who_asks_makes_no_counters(shared: Shared) -> None:
    assert questions.counters.function(SimpleNamespace(shared=shared)) == []
    assert shared.tables == []
