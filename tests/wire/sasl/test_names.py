"""The names of the mechanisms: none is missing in what is made of them."""

from angarium.wire.sasl import names
from angarium.wire.sasl.names import ALL, CLEAR, TOKENS


def test_each_name_stands_in_the_order_once() -> None:
    known = {
        value for name, value in vars(names).items() if isinstance(value, str) and name.isupper()
    }
    assert sorted(ALL) == sorted(known)


def test_what_sends_a_password_is_chosen_last() -> None:
    passwords = CLEAR - TOKENS
    assert set(ALL[-len(passwords) :]) == passwords
    assert TOKENS < CLEAR < set(ALL)
