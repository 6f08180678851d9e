import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.units import Rate, duration, rate, size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5 h", 5400), ("4 hours", 14400), ("1day", 86400), ("2 Weeks", 1209600)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "octets"), [("4096", 4096), ("10M", 10 << 20), ("10 MB", 10 << 20), ("1GiB", 1 << 30)]
)
def test_sizes(text: str, octets: int) -> None:
    assert size(text) == octets


@pytest.mark.parametrize(
    ("text", "expected"), [("10", Rate(10)), ("300/60", Rate(300, 60)), (" 5 / 2 ", Rate(5, 2))]
)
def test_rates(text: str, expected: Rate) -> None:
    assert rate(text) == expected


@pytest.mark.parametrize("read", [duration, size, rate])
@pytest.mark.parametrize("text", ["", "fast", "4 parsecs", "-1", "1/0"])
def test_what_is_no_quantity_says_what_would_be(read: object, text: str) -> None:
    assert callable(read)
    with pytest.raises(ValueError, match="write"):
        read(text)


@given(st.integers(1, 10**6), st.integers(1, 86400))
def test_a_rate_reads_what_it_prints(count: int, seconds: int) -> None:
    assert rate(str(Rate(count, seconds))) == Rate(count, seconds)


def test_the_interval_of_a_rate() -> None:
    assert Rate(300, 60).interval == 0.2
