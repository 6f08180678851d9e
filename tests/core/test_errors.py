import pytest

from angarium.core.errors import Error, context


def test_each_level_adds_what_it_knows_and_inner_levels_win() -> None:
    with (
        pytest.raises(Error) as caught,
        context(binding="b1", stage="connect"),
        context(host="192.0.2.1", stage="rcptto"),
    ):
        raise Error("mailbox full")
    assert str(caught.value) == "mailbox full (binding='b1' stage='rcptto' host='192.0.2.1')"


def test_an_error_without_fields_is_its_message() -> None:
    assert str(Error("no route")) == "no route"


def test_a_bug_passes_a_context_untouched() -> None:
    with pytest.raises(KeyError), context(binding="b1"):
        dict[str, int]()["missing"]
