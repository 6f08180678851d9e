"""Endpoints as Momentum's client takes them."""

from pathlib import Path

import pytest

from angarium.console.endpoint import Endpoint, EndpointError, endpoint


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/tmp/2025", Endpoint(path="/tmp/2025")),
        ("2025", Endpoint(path="/tmp/2025")),
        ("john@/tmp/2025", Endpoint("john", path="/tmp/2025")),
        ("127.0.0.1:2025", Endpoint(host="127.0.0.1", port=2025)),
        ("john@mx.example.com:2025", Endpoint("john", host="mx.example.com", port=2025)),
        ("a@b.example@[2001:db8::1]:2025", Endpoint("a@b.example", host="2001:db8::1", port=2025)),
        (":2025", Endpoint(host="localhost", port=2025)),
    ],
)
def test_an_endpoint_is_a_path_or_a_host_with_a_port(text: str, meant: Endpoint) -> None:
    assert endpoint(text) == meant
    if text[0] not in "2:":
        assert str(meant) == text


@pytest.mark.parametrize(
    "text", ["", "@here:1", "john@", "::1:2025", "host:", "host:99999", "host:x", "ssh://a@b"]
)
def test_what_is_none_is_told(text: str) -> None:
    with pytest.raises(EndpointError):
        endpoint(text)


@pytest.mark.parametrize(
    ("text", "private"),
    [("/a/b", True), ("127.0.0.1:1", True), ("[::1]:1", True), ("192.0.2.1:1", False)],
)
def test_what_is_said_to_this_machine_goes_over_no_network(text: str, private: bool) -> None:
    assert endpoint(text).private is private


def test_where_nobody_listens_there_is_no_connection(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Endpoint(path=str(tmp_path / "none")).connected()
