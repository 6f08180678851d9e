"""An attempt as acctlog has it."""

from angarium.inbound.logins import Login, Outcome, unaccounted


def test_an_attempt_says_where_who_and_how_and_no_password() -> None:
    login = Login("127.0.0.1:25", "192.0.2.1:4711", "tim", "PLAIN", Outcome.WRONG)
    unaccounted(login)
    assert "PLAIN" in repr(login)
    assert set(Login.__slots__) == {"endpoint", "address", "user", "mechanism", "outcome"}
    assert len(Outcome) == 3
