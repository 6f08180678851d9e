"""Whose addresses are no recipients of a report."""

import pytest

from angarium.config.errors import ConfigError
from angarium.config.load import load_text
from angarium.inbound.returns.options import Returns


def test_addresses_and_domains_may_stand_side_by_side() -> None:
    conf = load_text('bounce_suppress_list = "bounces@a.example, @b.example"')
    assert conf.at(Returns).bounce_suppress_list == "bounces@a.example,@b.example"


@pytest.mark.parametrize("wrong", ["bounces", "a@b@c", "a@", "a b@c.example", "a@b.example,"])
def test_a_word_which_is_neither_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match="bounce_suppress_list"):
        load_text(f'bounce_suppress_list = "{wrong}"')
