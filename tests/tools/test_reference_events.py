"""The page of events says what is declared."""

import reference_events
from angarium.events.schema import EVENTS


def test_the_page_is_made_from_the_declarations_of_today() -> None:
    assert reference_events.main(["--check"]) == 0


def test_every_event_and_field_is_on_it() -> None:
    page = reference_events.page()
    for declared in EVENTS.values():
        assert f"## {declared.__name__}" in page
        for field in declared.__struct_fields__:
            assert f"| {field} |" in page
