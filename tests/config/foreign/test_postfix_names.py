"""The names on both sides exist, and none is on two lists."""

import itertools

from angarium.config.foreign import postfix_names as names
from angarium.config.load import declarations
from angarium.config.option import OPTIONS

declarations()


def test_every_option_is_one_of_ours() -> None:
    ours = {
        *itertools.chain.from_iterable(options for options, _ in names.TIMES.values()),
        *(option for option, _ in names.SESSION_TIMES.values()),
        *names.PLAIN.values(),
        *names.SESSION_PLAIN.values(),
        *names.NO_LIMIT,
        *itertools.chain.from_iterable(names.TLS_LEVELS.values()),
    }
    assert not ours - OPTIONS.keys()


def test_a_parameter_is_taken_or_left_out_and_not_both() -> None:
    taken = {*names.TIMES, *names.SESSION_TIMES, *names.PLAIN, *names.SESSION_PLAIN}
    assert not taken & names.REASONS.keys()
    assert not taken & names.SILENT
