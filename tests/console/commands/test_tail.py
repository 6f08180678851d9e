"""The filters of `tail`."""

import pytest

from angarium.console.command import Words
from angarium.console.commands.tail import SECONDS, filters
from angarium.console.errors import CommandError
from angarium.console.questions.history import Wanted


def test_filters_are_read_in_any_order() -> None:
    words = Words(("Domain", "A.test", "delivered", "for", "5", "failed", "text", "550"))
    assert filters(words) == (
        Wanted(["delivered", "failed"], domain="a.test", text="550"), 5.0,
    )  # fmt: skip
    assert filters(Words(())) == (Wanted(), SECONDS)


@pytest.mark.parametrize(
    ("words", "why"),
    [(("x",), "begins with"), (("domain",), "missing"), (("for", "0"), "number of seconds")],
)
def test_what_is_no_filter_is_refused(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        filters(Words(words))
