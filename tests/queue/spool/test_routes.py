"""Routes by number."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from angarium.queue.spool.routes import Routes

A, B = ("default", "b1", "a.example"), ("default", "b1", "b.example")


def test_entries_of_one_route_share_a_number() -> None:
    routes = Routes()
    number = routes.hold(A)
    assert routes.hold(A) == number
    assert routes.hold(B) != number
    assert (routes.count(number), len(routes)) == (2, 2)
    assert routes.key(number) == A
    assert routes.find(A) == number
    assert dict(routes) == {number: A, routes.find(B): B}


def test_a_number_nobody_holds_is_given_away_again() -> None:
    routes = Routes()
    number = routes.hold(A)
    routes.release(number)
    assert routes.find(A) is None
    with pytest.raises(KeyError):
        routes.key(number)
    assert routes.hold(B) == number


def test_a_number_which_was_never_given_stands_for_nothing() -> None:
    with pytest.raises(KeyError):
        Routes().key(5)
    assert Routes().count(5) == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=60))
def test_counts_are_right_whatever_the_order(acts: list[tuple[bool, int]]) -> None:
    routes, held = Routes(), dict.fromkeys(range(4), 0)
    for hold, which in acts:
        key = ("g", "b", f"d{which}")
        if hold:
            routes.hold(key)
            held[which] += 1
        elif held[which]:
            number = routes.find(key)
            assert number is not None
            routes.release(number)
            held[which] -= 1
    for which, count in held.items():
        number = routes.find(("g", "b", f"d{which}"))
        assert (routes.count(number) if number is not None else 0) == count
