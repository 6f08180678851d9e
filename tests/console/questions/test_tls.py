"""What workers answer about contexts of TLS adds up."""

from angarium.console.questions.tls import Known, Renewed


def test_sessions_add_up_and_the_oldest_age_is_told() -> None:
    total = Known("a", "", "DEFAULT", 5.0, 2) + Known("a", "", "DEFAULT", 9.0, 1)
    assert (total.seconds, total.sessions) == (9.0, 3)


def test_the_same_trouble_is_told_once() -> None:
    total = Renewed(1, ("no key",)) + Renewed(2, ("no key", "no file"))
    assert total == Renewed(3, ("no key", "no file"))
