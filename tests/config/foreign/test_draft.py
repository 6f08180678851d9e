"""A draft is a configuration which loads, and says what is not in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.foreign.draft import Draft, comment, pattern_of
from angarium.config.load import load_text
from angarium.config.option import OPTIONS, State
from angarium.queue.options import Shape

DOMAIN = (("domain", "example.com"),)


def test_what_is_set_is_in_the_file_with_where_it_comes_from() -> None:
    draft = Draft("From a test.")
    draft.set("retry_interval", "60", "x:1", "retry 1m", DOMAIN)
    assert draft.text() == (
        '# From a test.\n\n\ndomain "example.com" {\n  retry_interval = 60  # x:1 retry 1m\n}\n'
    )
    assert load_text(draft.text()).at(Shape, domain="example.com").retry_interval == 60.0


def test_a_value_which_the_option_does_not_take_is_left_out_with_the_reason() -> None:
    draft = Draft("x")
    draft.set("retry_interval", "soon", "x:1", "retry soon")
    assert [each.where for each in draft.left] == ["x:1"]
    assert "retry_interval" in draft.left[0].why
    assert draft.value("retry_interval") is None


def test_an_option_which_may_not_stand_there_is_left_out() -> None:
    draft = Draft("x")
    draft.set("relay_hosts", ("192.0.2.1",), "x:1", "a", DOMAIN)
    assert draft.left[0].why == "relay_hosts may not stand in domain example.com"


def test_what_is_not_safe_without_our_having_it_is_a_comment() -> None:
    unsafe = OPTIONS["fips_mode"]
    assert unsafe.state is State.PLANNED
    draft = Draft("x")
    draft.set("fips_mode", "true", "x:1", "fips")
    assert "# fips_mode = true" in draft.text()
    assert "commented out" in draft.left[0].why
    load_text(draft.text())


def test_a_list_is_added_to() -> None:
    draft = Draft("x")
    draft.add("skip_hosts", ["192.0.2.1"], "x:1", "a")
    draft.add("skip_hosts", ["192.0.2.1", "192.0.2.2"], "x:2", "b")
    assert draft.value("skip_hosts") == ("192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("Example.com", "example.com"),
        ("*.example.com", "/[.]example[.]com$/"),
        (".example.com", "/[.]example[.]com$/"),
    ],
)
def test_a_glob_is_a_name_or_a_pattern(glob: str, expected: str) -> None:
    assert pattern_of(glob) == expected


@given(st.text(), st.text())
def test_no_text_ends_a_comment_or_a_line(where: str, what: str) -> None:
    draft = Draft(where)
    draft.set("retry_interval", "60", where, what)
    draft.leave(where, what, what)
    assert load_text(draft.text()).at(Shape).retry_interval == 60.0
    assert "\n" not in comment(what)
