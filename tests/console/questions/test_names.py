"""What a worker knows of names."""

from angarium.console.questions import names
from angarium.net.answer import Mx


def test_records_are_written_as_dig_does() -> None:
    assert names.shown(Mx(10, "mx.a.test")) == "10 mx.a.test"
    assert names.shown(b'v=spf1 "x"') == '"v=spf1 \\"x\\""'
    assert names.shown("192.0.2.1") == "192.0.2.1"


def test_of_several_answers_the_one_that_lasts_longest_counts() -> None:
    short, none = names.Kept(True, ttl=5.0), names.Kept()
    assert none + short == short
    assert short + names.Kept(True, ttl=9.0) == names.Kept(True, ttl=9.0)
