"""A result is printed, or sent as JSON."""

from angarium.console.result import Said


def test_what_is_said_is_a_text_and_its_fields() -> None:
    said = Said("two lines\nof text", {"lines": 2})
    assert (str(said), said.plain()) == ("two lines\nof text", {"lines": 2})
    assert (str(Said()), Said().plain()) == ("", {})
