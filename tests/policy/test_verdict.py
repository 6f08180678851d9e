"""Verdicts have Momentum's numbers, which scripts may have written down."""

from angarium.policy.verdict import Verdict


def test_the_numbers_are_those_scripts_know() -> None:
    assert {each.name: each.value for each in Verdict} == {"CONT": 0, "AGAIN": 1, "DONE": 2}
