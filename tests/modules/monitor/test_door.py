"""The socket of the agent."""

import socket

import pytest

from angarium.config.kinds import Place
from angarium.modules.monitor import door


@pytest.mark.parametrize(
    ("host", "family"),
    [
        ("127.0.0.1", socket.AF_INET), ("*", socket.AF_INET), ("", socket.AF_INET),
        ("::1", socket.AF_INET6),
    ],
)  # fmt: skip
def test_it_is_bound_where_it_is_said(
    monkeypatch: pytest.MonkeyPatch, host: str, family: int
) -> None:
    monkeypatch.setattr(door, "PORT", 0)
    with door.bound(Place(host)) as made:
        assert made.family == family
        assert made.type == socket.SOCK_DGRAM
        assert made.getsockname()[0] == ("0.0.0.0" if host in ("*", "") else host)
        with pytest.raises(OSError, match="in use"):
            door.bound(Place(host, made.getsockname()[1]))
