"""What a rule of adaptive delivery may say: codes, actions, bounds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.errors import ConfigError, Severity
from angarium.config.kinds import Throttle
from angarium.config.load import load_text
from angarium.core.units import Rate
from angarium.outbound.adaptive.options.bounds import AdaptiveBounds
from angarium.outbound.adaptive.options.rules import ACTIONS, Action, SweepCode


@pytest.mark.parametrize(
    ("raw", "value"), [("bc:10", "bc:10"), ("BC:24", "bc:24"), ("fbl:abuse", "fbl:abuse")]
)
def test_a_code_is_of_a_bounce_or_of_a_complaint(raw: str, value: str) -> None:
    assert SweepCode().parse(raw) == value


@pytest.mark.parametrize("raw", ["10", "bc:", "bc:ten", "fbl:", "abuse", ""])
def test_anything_else_is_no_code(raw: str) -> None:
    with pytest.raises(ValueError, match="neither bc:NUMBER nor fbl:CATEGORY"):
        SweepCode().parse(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (("suspend", "4 hours"), ("suspend", "4 hours")),
        (("Throttle", "down"), ("throttle", "down")),
        (("reduce_connections",), ("reduce_connections",)),
    ],
)
def test_an_action_has_the_parameter_it_needs(raw: tuple[str, ...], value: object) -> None:
    assert Action().parse(raw) == value


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ((), "none of suspend"),
        (("explode",), "none of suspend"),
        (("suspend",), "suspend needs one word after it"),
        (("suspend", "soon"), "no duration"),
        (("throttle", "up"), "after throttle there is only down"),
    ],
)
def test_another_one_is_refused_in_words(raw: tuple[str, ...], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Action().parse(raw)


@given(words=st.lists(st.sampled_from([*ACTIONS, "down", "4 hours", "x"]), max_size=3).map(tuple))
def test_an_action_which_was_read_is_read_again_the_same(words: tuple[str, ...]) -> None:
    try:
        value = Action().parse(words)
    except ValueError:
        return
    assert Action().parse(value) == value


def test_bounds_of_a_rate_are_compared_by_what_they_let_through() -> None:
    conf = load_text("adaptive_outbound_throttle_messages = ( 10/60 1 )")
    low, high = Throttle(Rate(10, 60)), Throttle(Rate(1, 1))
    assert conf.at(AdaptiveBounds).adaptive_outbound_throttle_messages == (low, high)
    with pytest.raises(ConfigError, match="is more than the second"):
        load_text("adaptive_outbound_throttle_messages = ( 1 10/60 )")


def test_a_rule_stands_where_its_mail_is_and_is_told_to_be_missing() -> None:
    conf = load_text(
        'binding b { domain a { adaptive_sweep_rule x { codes = ( "bc:10" ) high_threshold = 2 }}}'
    )
    (note,) = conf.notes
    assert note.severity is Severity.WARNING
    assert "nothing slows down when bounces or complaints become many" in note.message
