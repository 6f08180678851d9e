"""Values of PowerMTA's directives."""

import pytest

from angarium.config.foreign.powermta_values import converted


@pytest.mark.parametrize(
    ("text", "how", "expected"),
    [
        ("10000/h", "rate", "10000/3600"),
        ("10/5m", "rate", "10/300"),
        ("100/s", "rate", "100"),
        ("unlimited", "rate", "0"),
        ("1d12h", "time", "129600"),
        ("90", "time", "90"),
        ("soon", "time", None),
        ("10M", "size", "10485760"),
        ("0", "size", "0"),
        ("yes", "tls", "ifavailable"),
        ("no", "tls", ""),
    ],
)
def test_values(text: str, how: str, expected: str | None) -> None:
    assert converted(text, how) == expected
