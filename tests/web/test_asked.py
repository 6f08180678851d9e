"""What a log has of a request by HTTP."""

from dataclasses import replace

import pytest

from angarium.web.asked import Asked

ASKED = Asked(
    address="10.77.0.158", port=18906, local="*:2081", method="POST",
    target="/api/v1/transmissions", version="1.0", status=500, octets=332, seconds=1.045,
)  # fmt: skip


def test_httplog_has_it_as_the_manual_shows() -> None:
    assert ASKED.line("1398088802") == (
        '1398088802 10.77.0.158:18906 *:2081 "POST api/v1/transmissions HTTP/1.0" 500 332 1045.000'
    )


def test_paniclog_has_it_without_port_and_listener() -> None:
    assert ASKED.fault == '10.77.0.158 "POST api/v1/transmissions HTTP/1.0" 500 332 1045.000'


@pytest.mark.parametrize(
    ("target", "printed"), [("/", "/"), ("*", "*"), ('/a"b', "a%22b"), ("//x", "/x")]
)
def test_a_line_always_has_nine_fields(target: str, printed: str) -> None:
    fields = replace(ASKED, target=target).line("1").split(" ")
    assert (len(fields), fields[4]) == (9, printed)


@pytest.mark.parametrize(("address", "client"), [("2001:db8::1", "[2001:db8::1]:18906"), ("", "-")])
def test_clients_have_other_addresses_too(address: str, client: str) -> None:
    assert replace(ASKED, address=address).line("1").split(" ")[1] == client
