"""DIGEST-MD5 by the example of the RFC, and by what each side has to refuse."""

from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.sasl import Exchange, stored


def test_the_example_of_rfc_2831_comes_out() -> None:
    """Section 4."""
    secret = stored("chris", "elwood.innosoft.com", "secret")
    said = Exchange("OA6MG9tEQGm2hh", "OA6MHXh6VqTrRk", "imap/elwood.innosoft.com")
    assert said.response(secret) == "d388dad90d4bbd760a152321f2143af7"
    assert said.proof(secret) == "ea40f60335c427b5527b84dbabcdfffd"


@given(st.text(max_size=8), st.text(max_size=8))
def test_another_password_has_another_answer(one: str, two: str) -> None:
    said = Exchange("n", "c", "console/here")
    first, second = (said.response(stored("u", "r", each)) for each in (one, two))
    assert (first == second) is (one == two)
