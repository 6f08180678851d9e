"""How peers are named."""

import pytest

from angarium.inbound.origin import endpoint, shown


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (("192.0.2.1", 25), "192.0.2.1:25"),
        (("2001:db8::1", 25, 0, 0), "[2001:db8::1]:25"),
        (("fe80::1%eth0", 25, 0, 2), "[fe80::1]:25"),
        (("::ffff:192.0.2.1", 25, 0, 0), "192.0.2.1:25"),
        ("", "127.0.0.1:0"),
        ("/run/smtp", "127.0.0.1:0"),
        (None, "127.0.0.1:0"),
    ],
)
def test_endpoints_as_logs_have_them(name: object, text: str) -> None:
    assert shown(*endpoint(name)) == text
