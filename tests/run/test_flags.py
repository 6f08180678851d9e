"""What goes to the paniclogs, and how often."""

import pytest

from angarium.config.load import load_text
from angarium.run.flags import Flags, defaults
from angarium.run.options import DebugFlags, DebugThrottle
from helpers.clock import FakeClock


def flags(text: str, clock: FakeClock) -> Flags:
    conf = load_text(text)
    return Flags(conf.top(DebugFlags), conf.top(DebugThrottle), clock)


def test_by_default_errors_and_worse_are_told_of_every_part() -> None:
    heard = defaults(FakeClock())
    levels = ("debug", "info", "notice", "warning", "error", "critical")
    assert [heard.wants(level, "NET", "x") for level in levels] == [False] * 4 + [True] * 2


def test_a_level_nobody_has_declared_is_not_told() -> None:
    assert not defaults(FakeClock()).wants("trace", "NET", "x")


@pytest.mark.effect("debug_throttle_max_num_same_message", "debug_throttle_period_secs")
def test_the_same_is_told_so_often_in_a_time() -> None:
    clock = FakeClock()
    heard = flags(
        "debug_flags { info = ( ALL ) }\n"
        "debug_throttle_max_num_same_message = 2\ndebug_throttle_period_secs = 30\n",
        clock,
    )

    def told(text: str) -> int:
        return sum(heard.wants("info", "START", text) for _ in range(5))

    assert (told("one"), told("other")) == (2, 2)
    clock.advance(29.0)
    assert told("one") == 0
    clock.advance(1.0)
    assert told("one") == 2


@pytest.mark.parametrize("level", ["warning", "error", "critical"])
def test_warnings_and_worse_are_never_held_back(level: str) -> None:
    heard = flags(
        "debug_flags { warning = ( ALL ) }\ndebug_throttle_max_num_same_message = 1\n", FakeClock()
    )
    assert all(heard.wants(level, "START", "x") for _ in range(5))


def test_texts_without_end_take_no_memory_without_end() -> None:
    heard = flags(
        "debug_flags { info = ( ALL ) }\ndebug_throttle_max_num_same_message = 1\n", FakeClock()
    )
    assert all(heard.wants("info", "START", str(number)) for number in range(1000))
    assert len(heard._counts) <= 256
