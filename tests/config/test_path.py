"""Words of the console to places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.load import declarations, load_text
from angarium.config.path import (
    PathError,
    Place,
    assignment,
    find,
    located,
    option_in,
    parse,
    split,
    words,
)
from angarium.config.scope import BINDING, BINDING_GROUP, DOMAIN, ESMTP_LISTENER, LISTEN, TOP

TEXT = """
binding_group "G" { binding "b-1" { domain "example.com" { retry_interval = 60 } } }
domain "/^mx [0-9]:a\\.example$/" { retry_interval = 60 }
ec_logger { enabled = true }
ec_logger "enabled" { }
esmtp_listener { listen ":2525" { } peer "192.0.2.0/24" { } }
"""


def test_words_lead_into_nested_stanzas_and_leave_the_option_and_its_value() -> None:
    place = parse(["binding_group", "g", "Binding", "b", "domain", "D.example", "retry_interval",
                   "60"])  # fmt: skip
    assert place == Place(
        ((BINDING_GROUP, "g"), (BINDING, "b"), (DOMAIN, "d.example")), ("retry_interval", "60")
    )
    assert place.kind is DOMAIN


def test_a_stanza_without_a_name_takes_none() -> None:
    place = parse(["ESMTP_Listener", "Listen", ":25", "concurrency", "5"])
    assert place == Place(((ESMTP_LISTENER, ""), (LISTEN, "*:25")), ("concurrency", "5"))


def test_no_words_are_the_file_itself() -> None:
    assert parse([]) == Place(())
    assert parse([]).kind is TOP


def test_the_form_of_locate_has_escaped_colons() -> None:
    place = parse([r"Esmtp_Listener::Listen:\:587:", "concurrency"])
    assert place.steps == ((ESMTP_LISTENER, ""), (LISTEN, "*:587"))
    assert place.rest == ("concurrency",)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["domain"], "domain needs a name"),
        (["retry_intervall"], "did you mean retry_interval"),
        (["esmtp_listener", "domain", "x"], "the stanza domain may not stand in esmtp_listener"),
        (["domain", "a@b", "retry_interval"], "'a@b' is no domain"),
        (["esmtp_listener", "retry_interval"], "may stand in: global, binding_group"),
        (["esmtp_listener:x:"], "has no name"),
        (["domain::"], "domain needs a name"),
        (["domain:a:b"], "no place such as"),
        (["nonsense:a:"], "there is no option or stanza nonsense"),
    ],
)
def test_a_word_which_leads_nowhere_is_told_with_what_would(words: list[str], message: str) -> None:
    with pytest.raises(PathError, match=message):
        parse(words)


def test_an_optional_name_is_a_name_unless_it_means_something_in_there() -> None:
    root = load_text(TEXT).root
    assert parse(["ec_logger", "enabled"]).steps[0][1] == ""
    assert parse(["ec_logger", "enabled"], root).steps[0][1] == "enabled"
    assert parse(["ec_logger", "main", "enabled"]).steps[0][1] == "main"
    assert parse(["ec_logger:enabled:"]).steps[0][1] == "enabled"


def test_every_section_is_found_again_by_its_words_and_by_where_it_is_located() -> None:
    root = load_text(TEXT).root
    for section in root.walk():
        by_words = parse(split(words(section)), root)
        assert find(root, by_words.steps) is section
        assert not by_words.rest
        if section is not root:
            assert find(root, parse([located(section)]).steps) is section


def test_a_place_which_is_not_there_is_none() -> None:
    root = load_text(TEXT).root
    assert find(root, parse(["domain", "elsewhere.example"]).steps) is None
    assert find(root, parse(["binding", "b", "domain", "a.example"]).steps) is None


@pytest.mark.parametrize(
    ("line", "option", "text"),
    [
        ("retry_interval 60", "retry_interval", "60"),
        ("Retry_Interval = 60", "Retry_Interval", "60"),
        ("retry_interval=60", "retry_interval", "60"),
        ("retry_interval =60", "retry_interval", "60"),
        ('domain "a.example" retry_interval "1 hour"', "retry_interval", '"1 hour"'),
        ("relay_hosts ( 10.0.0.1\n 10.0.0.2 )", "relay_hosts", "( 10.0.0.1\n 10.0.0.2 )"),
        ("relay_hosts = ( )", "relay_hosts", "( )"),
    ],
)
def test_the_value_is_what_follows_the_option(line: str, option: str, text: str) -> None:
    place, value = assignment(line)
    assert place.rest == (option,)
    assert value == text


@pytest.mark.parametrize("line", ["", "domain a.example", "retry_interval", "retry_interval = "])
def test_an_assignment_has_a_value(line: str) -> None:
    with pytest.raises(PathError, match="missing"):
        assignment(line)


def test_the_case_of_an_option_does_not_matter() -> None:
    declarations()
    found = option_in(TOP, "Retry_INTERVAL")
    assert found is not None
    assert found.name == "retry_interval"
    assert option_in(ESMTP_LISTENER, "retry_interval") is None


@given(st.lists(st.text(max_size=8), max_size=6))
def test_any_words_are_a_place_or_a_fault_of_ours(words: list[str]) -> None:
    try:
        place = parse(words)
    except PathError:
        return
    assert place.rest == tuple(words[len(words) - len(place.rest) :])


@given(st.text(max_size=40))
def test_any_line_has_words(line: str) -> None:
    for word in split(line):
        assert isinstance(word, str)
