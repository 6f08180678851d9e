"""What the doors leave to others; that they open and close is the reload's scenario."""

from angarium.run.doors import most_sessions


def test_sessions_leave_a_quarter_of_the_descriptors_or_64() -> None:
    assert most_sessions(100_000) == 75_000
    assert most_sessions(128) == 64
    assert most_sessions(10) == 1
