"""The names on both sides exist, and each directive has an option or a reason."""

from angarium.config.foreign import powermta_names as names
from angarium.config.load import declarations
from angarium.config.option import OPTIONS

declarations()


def test_every_option_is_one_of_ours_and_what_has_none_has_a_reason() -> None:
    for table in (names.DOMAIN, names.SOURCE, names.GLOBALS):
        for option, how in table.values():
            assert option in OPTIONS if option else how.startswith("reason:")
    assert not names.NO_LIMIT.keys() - OPTIONS.keys()
    assert all(names.BLOCKS.values())
